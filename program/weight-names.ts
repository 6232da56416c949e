/** Names of weights as other programs write them. */

/** What PyTorch's DataParallel, and torch.compile, put before the name of every weight. */
const WRAPPERS = ["module.", "_orig_mod."] as const;

/**
 * What wrappers have put before all names of a file: `module._orig_mod.`; empty where there is
 * nothing, and where the model's own names begin so.
 */
export function wrapperPrefix(names: readonly string[], own: readonly string[]): string {
  const wrapper = WRAPPERS.find(
    (prefix) => isCommon(prefix, names) && !own.some((name) => name.startsWith(prefix)),
  );
  if (wrapper === undefined) return "";
  return (
    wrapper +
    wrapperPrefix(
      names.map((name) => name.slice(wrapper.length)),
      own,
    )
  );
}

function isCommon(prefix: string, names: readonly string[]): boolean {
  return names.length > 0 && names.every((name) => name.startsWith(prefix));
}

/** The same by names without a prefix that all of them have. */
export function withoutPrefix<Value>(
  named: ReadonlyMap<string, Value>,
  prefix: string,
): ReadonlyMap<string, Value> {
  if (prefix === "") return named;
  return new Map([...named].map(([name, value]) => [name.slice(prefix.length), value]));
}

/**
 * The longest run of whole sections that all names begin with: `backbone.`; empty where there is
 * none.
 */
export function commonPrefix(names: readonly string[]): string {
  const [first = ""] = names;
  const ends = [...first.matchAll(/\./g)].map(({ index }) => index + 1);
  const prefix = ends.reverse().find((end) => isCommon(first.slice(0, end), names));
  return first.slice(0, prefix ?? 0);
}
