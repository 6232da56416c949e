/** Columns: corresponding parts of similar neighboring lines are aligned. */

/** With larger gaps than this, lines are not aligned. */
const MOST_PADDING = 32;

/** One of several neighboring statements. */
export interface Cell {
  /** Lines of the same group may be aligned; undefined for lines that are not. */
  readonly group: string | undefined;
  readonly width: number;
  /** Whether a blank line or a comment separates the line from the one before. */
  readonly isApart: boolean;
}

/** How many blanks follow each cell, so that all of a run are as wide as the widest. */
export function paddings(cells: readonly Cell[]): readonly number[] {
  const result = cells.map(() => 0);
  for (const run of runsOf(cells)) {
    const widths = run.map((index) => cells[index]!.width);
    const widest = Math.max(...widths);
    if (widest - Math.min(...widths) > MOST_PADDING) continue;
    run.forEach((index) => (result[index] = widest - cells[index]!.width));
  }
  return result;
}

/** Indices of neighboring cells of one group. */
function runsOf(cells: readonly Cell[]): readonly (readonly number[])[] {
  const runs: number[][] = [];
  cells.forEach((cell, index) => {
    const before = cells[index - 1];
    const goesOn =
      before && !cell.isApart && cell.group !== undefined && cell.group === before.group;
    if (goesOn) runs.at(-1)!.push(index);
    else runs.push([index]);
  });
  return runs;
}
