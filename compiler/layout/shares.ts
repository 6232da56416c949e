/** Counts in parts. */

/** The least with which a count comes in as few parts as with `most`. */
export const evenShare = (count: number, most: number): number =>
  Math.ceil(count / Math.ceil(count / most));

/** A count in parts of `most`, and what is left. */
export const shares = (count: number, most: number): readonly number[] =>
  Array.from({ length: Math.ceil(count / most) }, (_, part) => Math.min(most, count - part * most));
