/** `1 channel`, `3 channels`. */
export function plural(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${pluralOf(noun)}`;
}

/** `channels`, `batches`. */
export const pluralOf = (noun: string): string =>
  `${noun}${/(s|x|ch|sh)$/.test(noun) ? "es" : "s"}`;
