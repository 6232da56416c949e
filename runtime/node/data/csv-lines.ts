/** The lines of a CSV file and their cells. Mistakes are reported with their line. */
import { DataError } from "../../data/error.js";

export interface Line {
  /** From 1. */
  readonly number: number;
  readonly cells: readonly string[];
}

/** Lines that are not blank. Read one at a time: a whole file may exceed the longest string. */
export function* readLines(
  bytes: Buffer,
  { path }: { readonly path: string },
): Generator<Line, undefined> {
  refuseOtherEncodings(bytes, path);
  let separator: string | undefined;
  let start = bytes.length >= 3 && bytes.readUIntBE(0, 3) === 0xefbbbf ? 3 : 0;
  for (let number = 1; start < bytes.length; number++) {
    const newline = bytes.indexOf(10, start);
    const end = newline < 0 ? bytes.length : newline;
    const text = bytes.toString("utf8", start, end).replace(/\r$/, "");
    start = end + 1;
    if (text.trim() === "") continue;
    separator ??= /[,;\t]/.exec(text)?.[0] ?? ",";
    const cells = splitCells(text, separator);
    if (!cells) throw openQuote(path, number);
    yield { number, cells };
  }
}

function refuseOtherEncodings(bytes: Buffer, path: string): void {
  const mark = bytes.length >= 2 ? bytes.readUInt16BE(0) : 0;
  if (mark !== 0xfeff && mark !== 0xfffe) return;
  throw new DataError(`${path} is UTF-16, but CSV files are read as UTF-8`, "save it as UTF-8");
}

/** Cells without spaces and quotes around them; undefined where a quote is not closed. */
function splitCells(text: string, separator: string): readonly string[] | undefined {
  if (!text.includes('"')) return text.split(separator).map((cell) => cell.trim());
  const cells: string[] = [];
  const space = `[^\\S${separator}]*`;
  const content = `(?:"((?:[^"]|"")*)"${space}|([^"${separator}]*))`;
  const cell = new RegExp(`${space}${content}(${separator}|$)`, "y");
  for (;;) {
    const match = cell.exec(text);
    if (!match) return undefined;
    const [, quoted, plain = "", behind] = match;
    cells.push((quoted?.replaceAll('""', '"') ?? plain).trim());
    if (behind === "") return cells;
  }
}

function openQuote(path: string, line: number): DataError {
  return new DataError(
    `${path}:${line}: a quote does not enclose a whole cell of this line`,
    'write cells plainly, or as "...", with a quote in them as ""',
  );
}

/** Whether a cell is a number as such files have them: no hexadecimal, nothing infinite. */
export function isNumber(cell: string): boolean {
  return Number.isFinite(toNumber(cell));
}

/** The number in a cell, NaN where there is none. */
export function toNumber(cell: string): number {
  if (cell === "") return NaN;
  const isOtherBase = cell.charCodeAt(1) > CODE_OF_9 && /^0[box]/i.test(cell);
  return isOtherBase ? NaN : Number(cell);
}

const CODE_OF_9 = 57;

/** What messages show of a cell: damaged files have long ones. */
export function quoted(cell: string): string {
  return JSON.stringify(cell.length > 40 ? `${cell.slice(0, 40)}...` : cell);
}
