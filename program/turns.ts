/** What the steps of a training recipe have in common. */

/**
 * The factor by which all rates change where that of the first step does, from the recipe's:
 * steps keep the ratios of their rates. Undefined where no factor leads there.
 */
export function rateFactor(given: number, first: number): number | undefined {
  if (given === first) return 1;
  return first > 0 ? given / first : undefined;
}
