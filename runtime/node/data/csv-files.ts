/** A table that names the image file of each row. */
import { basename, dirname, extname, join, resolve } from "node:path";
import type { CsvSource } from "../../../program/recipe.js";
import type { Dataset } from "../../data/dataset.js";
import { DataError } from "../../data/error.js";
import { describe, fieldsOf, readTable } from "./csv.js";
import { IMAGE_ENDINGS } from "./decode.js";
import { encodedDataset, type EncodedImage, type EncodedOptions } from "./encoded.js";
import { isDirectory, listFolder } from "./files.js";
import type { LabelRules } from "./labels.js";

/**
 * Images, decoded each time they are asked for, with the class or the numbers of their rows. Paths
 * are relative to the table's folder and may lack the ending, as in tables of ids. Rows whose file
 * is missing are left out, which is said. Throws a DataError where all are missing.
 */
export async function openListed(
  source: CsvSource,
  options: EncodedOptions,
  rules: LabelRules,
): Promise<Dataset> {
  const table = await readTable(source, fieldsOf(source), rules);
  const { texts } = table.fields.find(({ holds }) => holds === "file")!;
  const { description, of } = describe(table, source, rules);
  const find = fileFinder(dirname(source.path));
  const files: EncodedImage[] = [];
  const rows: number[] = [];
  const missing: number[] = [];
  for (const [row, text] of texts.entries()) {
    const path = await find(text);
    if (path === undefined) missing.push(row);
    else {
      rows.push(row);
      files.push({ ...of(row), name: path, from: { path } });
    }
  }
  const placeOf = (row: number) => `${source.path}:${table.lines[row]}: ${texts[row]}`;
  checkMissing(missing.map(placeOf), files.length, { source, onNotice: options.onNotice });
  const groupAt = description.groupAt && ((index: number) => description.groupAt!(rows[index]!));
  const dataset = encodedDataset({ ...description, groupAt }, files, options);
  return description.labelAt ? dataset : { ...dataset, labelAt: undefined };
}

type Find = (text: string) => Promise<string | undefined>;

/** Names of the files in a folder, by their names and by those without the ending of an image. */
type Names = ReadonlyMap<string, readonly string[]>;

/** The path of an image by what a table says of it. Each folder is listed once. */
export function fileFinder(base: string): Find {
  const folders = new Map<string, Promise<Names>>();
  return async (text) => {
    const path = resolve(base, text);
    const folder = dirname(path);
    let names = folders.get(folder);
    if (names === undefined) folders.set(folder, (names = imagesIn(folder)));
    const [found, ...others] = (await names).get(basename(path)) ?? [];
    if (others.length === 0) return found && join(folder, found);
    throw new DataError(
      `${text} may be ${[found, ...others].join(" or ")} in ${folder}`,
      "write names with their endings into the table",
    );
  };
}

async function imagesIn(folder: string): Promise<Names> {
  const entries = (await isDirectory(folder)) ? await listFolder(folder) : [];
  const files = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
  const names = new Map<string, readonly string[]>();
  for (const name of files.sort()) {
    const ending = extname(name);
    if (!IMAGE_ENDINGS.includes(ending.slice(1).toLowerCase())) continue;
    const stem = name.slice(0, -ending.length);
    names.set(stem, [...(names.get(stem) ?? []), name]);
  }
  for (const name of files) names.set(name, [name]);
  return names;
}

function checkMissing(
  missing: readonly string[],
  found: number,
  { source, onNotice }: { readonly source: CsvSource; readonly onNotice: Notify },
): void {
  const [first] = missing;
  if (first === undefined) return;
  if (found === 0) {
    throw new DataError(
      `no file of the ${missing.length} that the column ${source.files} names is there: ${first}`,
      `paths are relative to ${dirname(source.path)}, the folder of the table`,
    );
  }
  const rows = missing.length === 1 ? "1 row is" : `${missing.length} rows are`;
  onNotice?.(`${rows} left out, as the file is missing: ${first}`);
}

type Notify = ((notice: string) => void) | undefined;
