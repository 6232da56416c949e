/**
 * Devices and adapters of other browsers, made of the real ones: without what a browser lacks, with
 * answers that only a browser gives.
 */

/** A real object of WebGPU on which some members are replaced; undefined ones are absent. */
export function altered<Kind extends object>(
  target: Kind,
  members: Readonly<Record<string, unknown>>,
): Kind {
  return new Proxy(target, {
    has: (_, name) =>
      Object.hasOwn(members, name) ? members[String(name)] !== undefined : name in target,
    get: (_, name) => {
      if (Object.hasOwn(members, name)) return members[String(name)];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
