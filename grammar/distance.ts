/**
 * What comparing words has cost so far, in cells of distance tables: tests hold it, not a clock.
 */
export const effort = { cells: 0 };

/**
 * The Damerau-Levenshtein distance of two words, in its restricted form: how many letters have to
 * be inserted, left out, replaced, or swapped with their neighbor. Infinity where it is more than
 * `most`, which is soon known.
 */
export function editDistance(from: string, to: string, most = Infinity): number {
  if (Math.abs(from.length - to.length) > most) return Infinity;
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    // Cells further than `most` from the diagonal are of no word that is near enough.
    const first = Math.max(1, row - most);
    const last = Math.min(to.length, row + most);
    let least = first === 1 ? row : Infinity;
    for (let column = first; column <= last; column++) {
      const isSame = from[row - 1] === to[column - 1];
      const best = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (isSame ? 0 : 1),
      );
      const isSwap = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const cell = isSwap ? Math.min(best, at(beforePrevious, column - 2) + 1) : best;
      current[column] = cell;
      least = Math.min(least, cell);
    }
    effort.cells += last - first + 1;
    if (least > most) return Infinity;
    [beforePrevious, previous] = [previous, current];
  }
  const distance = at(previous, to.length);
  return distance > most ? Infinity : distance;
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}

/**
 * Whether one of two words may be a misspelling of the other: one letter in three
 * differs at most, and three in all.
 */
export function isClose(from: string, to: string): boolean {
  const allowed = allowedDistance(from, to);
  return editDistance(from, to, allowed) <= allowed;
}

/** How far two words may differ to count as misspellings of one another. */
export function allowedDistance(from: string, to: string): number {
  const [shorter, longer] = [from.length, to.length].sort((a, b) => a - b) as [number, number];
  return Math.min(3, Math.max(1, Math.floor(longer / 3)), shorter - 1);
}
