/** Looks through the pictures that a table names, with the class of each. */
import { dirname } from "node:path";
import { DataError } from "../runtime/data/error.js";
import { fileFinder } from "../runtime/node/data/csv-files.js";
import type { Line } from "../runtime/node/data/csv-lines.js";
import { openRows, parseCsvTable } from "../runtime/node/data/csv-table.js";
import { IMAGE_ENDINGS } from "../runtime/node/data/decode.js";
import { readMaybeGzipped } from "../runtime/node/data/files.js";
import type { Progress } from "./in-turns.js";
import type { Picture } from "./probe.js";
import type { PictureSurvey } from "./survey.js";
import { surveyOf } from "./survey-pictures.js";
import { classesOf, headerIn, MOST_LOOKED_AT } from "./survey-table.js";
import { chooseListed } from "./table-columns.js";

/**
 * Reads a csv file with a column of image files and one of classes; without a name netc looks for
 * the latter. Undefined where no column names files. Throws a DataError where none of the files is
 * there, and where no column holds classes.
 */
export async function surveyListed(
  path: string,
  label?: string,
  progress: Progress = () => {},
): Promise<PictureSurvey | undefined> {
  const bytes = await readMaybeGzipped(path);
  const { names, rows } = openRows(bytes, { path, ...headerIn(bytes, path) });
  const some: Line[] = [];
  for (const row of rows) {
    some.push(row);
    if (some.length === MOST_LOOKED_AT) break;
  }
  const find = fileFinder(dirname(path));
  const files = await fileColumn({ path, names, rows: some }, find);
  if (files === undefined) return undefined;
  const chosen = chooseListed({ path, names, rows: some, label }, files);
  const { fields, lines } = parseCsvTable(bytes, {
    path,
    fields: [
      { name: "image", role: "input", holds: "file", columns: [files], size: 1 },
      { name: "label", role: "target", holds: "class", columns: [chosen.labelName] },
    ],
    ignore: chosen.ignored.map(({ name }) => name),
    by: chosen.by,
    maximum: Infinity,
  });
  const [named, labels] = fields.map(({ texts }) => texts) as [
    readonly string[],
    readonly string[],
  ];
  const { listed, classes, numbers } = classesOf({ labels, lines }, path);
  const pictures: Picture[] = [];
  for (const [row, text] of named.entries()) {
    const found = await find(text);
    if (found) pictures.push({ path: found, label: numbers[row]!, split: "train" });
  }
  const survey = await surveyOf({ train: path, pictures, classes, progress });
  const missing = named.length - pictures.length;
  const notices = missing > 0 ? [`${missing} of ${named.length} files are missing`] : [];
  return { ...survey, notices, table: { ...chosen, files, listed } };
}

interface Rows {
  readonly path: string;
  readonly names: readonly string[];
  readonly rows: readonly Line[];
}

/** Rows whose files are looked for before a column counts as one of files. */
const MOST_TRIED = 20;

/** The column whose cells mostly name images that exist. */
async function fileColumn(
  { path, names, rows }: Rows,
  find: ReturnType<typeof fileFinder>,
): Promise<string | undefined> {
  const tried = rows.slice(0, MOST_TRIED);
  for (const [column, name] of names.entries()) {
    const cells = tried.map(({ cells }) => cells[column] ?? "").filter((cell) => cell !== "");
    // Two files may be meant, which is said when all rows are read.
    const found = await Promise.all(cells.map((cell) => find(cell).catch(() => cell)));
    const count = found.filter((each) => each !== undefined).length;
    if (2 * count > cells.length) return name;
    if (count > 0 || cells.length === 0 || !cells.every(isImageName)) continue;
    throw new DataError(
      `${path}: no file that the column ${name} names is there: ${cells[0]}`,
      `paths are relative to ${dirname(path)}, the folder of the table`,
    );
  }
  return undefined;
}

const isImageName = (cell: string) =>
  IMAGE_ENDINGS.some((ending) => cell.toLowerCase().endsWith(`.${ending}`));
