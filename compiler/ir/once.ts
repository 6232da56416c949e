/** What was made of objects, by object and key: kept as long as the object. */
const known = new WeakMap<object, Map<string, unknown>>();

/** What is made of an object, made once for each key. A key is plain data. */
export function once<Made>(of: object, key: readonly unknown[], make: () => Made): Made {
  const made = known.get(of) ?? new Map<string, unknown>();
  known.set(of, made);
  const name = JSON.stringify(key);
  if (!made.has(name)) made.set(name, make());
  return made.get(name) as Made;
}
