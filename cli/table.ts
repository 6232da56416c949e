/**
 * Tables that fit the terminal: the least important columns go first, then the first column is
 * shortened.
 */

import { visible } from "../program/visible.js";

export interface Column {
  readonly title: string;
  readonly align: "left" | "right";
  /** Columns of the highest number are dropped first where space is short; 0 stays always. */
  readonly expendable: number;
}

const GAP = "  ";

/** Renders rows under their titles. `width` is the terminal's; without it nothing is left out. */
export function renderTable(
  columns: readonly Column[],
  texts: readonly (readonly string[])[],
  width = Number.POSITIVE_INFINITY,
): string {
  // A line break in the name of a class would break the row.
  const rows = texts.map((cells) => cells.map(visible));
  const kept = fittingColumns(columns, rows, width);
  const widths = kept.map((index) => columnWidth(columns, rows, index));
  const excess = totalWidth(widths) - width;
  if (excess > 0) widths[0] = Math.max(8, widths[0]! - excess);
  const line = (cells: readonly string[]) =>
    kept
      .map((index, place) => pad(cells[index] ?? "", widths[place]!, columns[index]!.align))
      .join(GAP)
      .trimEnd();
  const rule = widths.map((size) => "-".repeat(size)).join(GAP);
  return [line(columns.map((column) => column.title)), rule, ...rows.map(line)].join("\n");
}

/** Indices of the columns that remain once enough expendable ones are gone. */
function fittingColumns(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): number[] {
  const kept = columns.map((_, index) => index);
  const fits = () => totalWidth(kept.map((index) => columnWidth(columns, rows, index))) <= width;
  while (!fits()) {
    const next = mostExpendable(columns, kept);
    if (next === undefined) break;
    kept.splice(kept.indexOf(next), 1);
  }
  return kept;
}

function mostExpendable(columns: readonly Column[], kept: readonly number[]): number | undefined {
  const candidates = kept.filter((index) => columns[index]!.expendable > 0);
  candidates.sort((a, b) => columns[b]!.expendable - columns[a]!.expendable);
  return candidates[0];
}

function columnWidth(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  index: number,
): number {
  return Math.max(columns[index]!.title.length, ...rows.map((row) => (row[index] ?? "").length));
}

function totalWidth(widths: readonly number[]): number {
  return widths.reduce((sum, size) => sum + size, 0) + GAP.length * (widths.length - 1);
}

function pad(text: string, width: number, align: Column["align"]): string {
  const fitted = text.length > width ? `${text.slice(0, width - 1)}…` : text;
  return align === "left" ? fitted.padEnd(width) : fitted.padStart(width);
}
