/**
 * The Damerau-Levenshtein distance of two words, in its restricted form: how many letters have to be inserted, left
 * out, replaced, or swapped with their neighbour.
 */
export function editDistance(from: string, to: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1];
      const best = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (isSame ? 0 : 1),
      );
      const isSwap = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current.push(isSwap ? Math.min(best, at(beforePrevious, column - 2) + 1) : best);
    }
    [beforePrevious, previous] = [previous, current];
  }
  return at(previous, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}

/** Whether two words may be taken for one another: one letter in three differs at most, and three in all. */
export function isClose(from: string, to: string): boolean {
  const [shorter, longer] = [from.length, to.length].sort((a, b) => a - b) as [number, number];
  const allowed = Math.min(3, Math.max(1, Math.floor(longer / 3)), shorter - 1);
  return editDistance(from, to) <= allowed;
}
