/** DIR/CLASS/IMAGE.{jpg,png,...}: a folder for each class, labels in the order of their sorted names. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Dataset } from "../../data/dataset.js";
import { DataError } from "../../data/error.js";
import { IMAGE_ENDINGS } from "./decode.js";
import { encodedDataset, type EncodedImage, type EncodedOptions } from "./encoded.js";
import { requireDirectory } from "./files.js";
import { refuseUnknownClasses } from "./labels.js";

export interface FolderOptions extends EncodedOptions {
  /** Labels follow these classes, those of training; without them, the folder's own. */
  readonly classes?: readonly string[] | undefined;
  /** The class folders that are read, in the order of their labels; all of them, sorted, unless given. */
  readonly only?: readonly string[] | undefined;
}

const IMAGE_FILE = new RegExp(`\\.(${IMAGE_ENDINGS.join("|")})$`, "i");

/** The images of a folder, decoded each time they are asked for. Throws a DataError where there are none. */
export async function openFolder(directory: string, options: FolderOptions): Promise<Dataset> {
  await requireDirectory(directory);
  const found = pickClasses(directory, await classFolders(directory), options.only);
  const classes = options.classes ?? found;
  refuseUnknownClasses(directory, found, classes);
  const folders = found.map((name) => join(directory, name));
  const names = await Promise.all(folders.map(imageNames));
  refuseEmptyClasses(folders, names);
  const files = found.flatMap((className, index): EncodedImage[] => {
    const label = classes.indexOf(className);
    const paths = names[index]!.map((name) => join(folders[index]!, name));
    return paths.map((path) => ({ name: path, label, from: { path } }));
  });
  return encodedDataset({ name: directory, classes }, files, options);
}

/** Names of the folders in `directory`, links followed, hidden ones left out, sorted by code units. */
export async function subdirectories(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const kept = await Promise.all(
    entries.map(async (entry) => {
      if (entry.name.startsWith(".")) return false;
      if (!entry.isSymbolicLink()) return entry.isDirectory();
      const target = await stat(join(directory, entry.name)).catch(() => undefined);
      return target?.isDirectory() ?? false;
    }),
  );
  return entries
    .filter((_, index) => kept[index])
    .map((entry) => entry.name)
    .sort();
}

async function classFolders(directory: string): Promise<string[]> {
  const found = await subdirectories(directory);
  if (found.length > 0) return found;
  const files = await readdir(directory);
  const images = files.filter((name) => IMAGE_FILE.test(name)).length;
  throw new DataError(
    files.length === 0
      ? `${directory} is empty`
      : `${directory} has no class folders` + (images > 0 ? `, but ${images} images` : ""),
    "put each class's images into a folder of its own: DIR/CLASS/IMAGE.jpg",
  );
}

/** Throws a DataError where one of the wanted folders is not there. */
function pickClasses(
  directory: string,
  found: readonly string[],
  wanted: readonly string[] = found,
): readonly string[] {
  const missing = wanted.find((name) => !found.includes(name));
  if (missing === undefined) return wanted;
  const names = found.slice(0, 10).join(", ") + (found.length > 10 ? ", ..." : "");
  throw new DataError(`${directory} has no class folder ${missing}`, `it has ${names}`);
}

async function imageNames(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  return names.filter((name) => IMAGE_FILE.test(name) && !name.startsWith(".")).sort();
}

function refuseEmptyClasses(folders: readonly string[], names: readonly string[][]): void {
  const empty = folders.find((_, index) => names[index]!.length === 0);
  if (empty === undefined) return;
  throw new DataError(
    `the class folder ${empty} holds no images`,
    `images end in ${IMAGE_ENDINGS.map((ending) => `.${ending}`).join(", ")} and lie directly in the folder; delete the folder if it is no class`,
  );
}
