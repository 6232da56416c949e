/** The pictures of a call. Of a list of numbers the first, which is refused as such. */
export function sourcesOf(given: unknown): readonly unknown[] {
  const sources = [given].flat() as readonly unknown[];
  return typeof sources[0] === "number" ? [sources[0]] : sources;
}
