/**
 * What a JSON text of counts and measurements holds. JSON knows no NaN: `JSON.stringify` writes
 * null for a number that is not finite.
 */
export function parseNumbers(text: string): unknown {
  return JSON.parse(text, (_, value: unknown) => (value === null ? NaN : value));
}
