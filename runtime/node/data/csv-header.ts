/** Whether a CSV file starts with a header, and what is wrong with one. */
import { DataError } from "../../data/error.js";
import { endColumn, nameTester, type ColumnOptions } from "./csv-columns.js";
import { isNumber, quoted, type Line } from "./csv-lines.js";

const LABEL_NAME = /^(label|labels|class|target)$/i;

/** The name that pandas gives to a column of row numbers when it reads one. */
const INDEX_NAME = /^(Unnamed: 0)?$/;

/**
 * Whether the first line names the columns. That is so where no cell is a number, where all count
 * up (pandas numbers columns that have no names), and where one has a label's name above numbers.
 * A header that has numbers is said.
 */
export function isHeader(
  { number, cells }: Line,
  second: readonly string[] | undefined,
  options: ColumnOptions,
): boolean {
  if (!cells.some(isNumber)) return true;
  const isName = nameTester(options);
  if (cells.some((cell) => !isNumber(cell) && isName(cell))) return true;
  if (!countsUp(cells, second, options) && !namesLabel(cells, second, options)) return false;
  const place = `${options.path}:${number}`;
  options.onNotice?.(`${place}: this line is read as a header: it is ${describe(cells)}`);
  return true;
}

/** All cells but for the label's, or that of pandas' row numbers, count from 0 or 1. */
function countsUp(
  cells: readonly string[],
  second: readonly string[] | undefined,
  options: ColumnOptions,
): boolean {
  const named = cells.findIndex((cell) => !isNumber(cell));
  const others = cells.filter((_, column) => column !== named).map(Number);
  const [start = 2] = others;
  if (others.length < 2 || start < 0 || start > 1) return false;
  if (!others.every((value, at) => value === start + at)) return false;
  if (named < 0 || LABEL_NAME.test(cells[named]!)) return true;
  if (named === 0 && INDEX_NAME.test(cells[0]!)) return true;
  return named === columnAtEnd(cells, options) && isNumber(second?.[named] ?? "");
}

function namesLabel(
  cells: readonly string[],
  second: readonly string[] | undefined,
  options: ColumnOptions,
): boolean {
  const column = columnAtEnd(cells, options);
  if (column === undefined) return false;
  return LABEL_NAME.test(cells[column]!) && isNumber(second?.[column] ?? "");
}

const describe = (cells: readonly string[]) =>
  `${cells.slice(0, 3).join(", ")}${cells.length > 4 ? ", ..." : ""}, ${cells.at(-1)}`;

/** Where the label is at an end of the rows; a name says nothing before a header is known. */
function columnAtEnd(cells: readonly string[], options: ColumnOptions): number | undefined {
  const label = labelEnd(options);
  return label && endColumn(cells, label);
}

/** The end of rows that a field is at; the columns of a known table are found by their names. */
function labelEnd({ fields, known }: ColumnOptions): "first" | "last" | undefined {
  if (known) return undefined;
  const ends = fields
    .map(({ columns }) => columns)
    .filter((columns) => typeof columns === "string");
  return ends[0];
}

/**
 * Throws a DataError where a header does not agree with the spec, has two columns of one name, or a
 * column of row numbers.
 */
export function checkHeader({ number, cells }: Line, options: ColumnOptions): void {
  const { path, ignore = [], known } = options;
  const place = `${path}:${number}`;
  const isRead = known === undefined || nameTester(options)(cells[0]!);
  if (isRead && INDEX_NAME.test(cells[0]!) && !ignore.includes(cells[0]!)) {
    throw new DataError(
      `${place}: the first column is ${quoted(cells[0]!)}: it numbers the rows`,
      `ignore it: csv(..., ignore=[${JSON.stringify(cells[0])}]), ` +
        "or write the file without it (pandas: to_csv(..., index=False))",
    );
  }
  const before = new Set<string>();
  for (const cell of cells) {
    if (before.has(cell)) throw twoColumns(place, cell);
    before.add(cell);
  }
  const label = labelEnd(options);
  if (label) checkLabelColumn(place, cells, { ...options, label });
}

function twoColumns(place: string, name: string): DataError {
  return new DataError(
    name === ""
      ? `${place}: two columns have no name`
      : `${place}: two columns are named ${quoted(name)}`,
    "remove one of them, or give it another name",
  );
}

/** A header that names the label's column must agree with the spec. */
function checkLabelColumn(
  place: string,
  cells: readonly string[],
  { label, ignore = [] }: ColumnOptions & { readonly label: "first" | "last" },
): void {
  const own = endColumn(cells, label);
  const named = cells.findIndex(
    (cell, column) => LABEL_NAME.test(cell) && column !== own && !ignore.includes(cell),
  );
  if (named < 0) return;
  const column = `column ${named + 1} of ${cells.length} is named \`${cells[named]}\``;
  throw new DataError(
    `${place}: ${column}, but the spec takes the label from the ${label} column`,
    labelHint(cells, { named, own }),
  );
}

function labelHint(
  cells: readonly string[],
  { named, own }: { readonly named: number; readonly own: number },
): string {
  if (LABEL_NAME.test(cells[own]!)) return "remove one of the two columns";
  if (named === 0) return "write `label=first` in the spec's csv(...)";
  if (named === cells.length - 1) return "write `label=last` in the spec's csv(...)";
  return `write \`label=${JSON.stringify(cells[named])}\` in the spec's csv(...)`;
}
