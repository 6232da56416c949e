/** DIR/CLASS/IMAGE.{jpg,jpeg,png,webp}: a folder for each class, labels in the order of their sorted names. */
import { readFile, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Dataset, Example } from "../../data/dataset.js";
import { DataError } from "../../data/error.js";
import { decodeImage } from "./decode.js";
import { requireDirectory } from "./files.js";
import { SkipCounter } from "./skipped.js";
import type { SkipOptions } from "./skipped.js";

export interface FolderOptions extends SkipOptions {
  /** Channels of the network's input: grey images become RGB and the reverse. */
  readonly channels: 1 | 3;
  /** Labels follow these classes, those of training; without them, the folder's own. */
  readonly classes?: readonly string[] | undefined;
}

interface LabelledFile {
  readonly path: string;
  readonly label: number;
}

const IMAGE_FILE = /\.(jpe?g|png|webp)$/i;

/** The images of a folder, decoded each time they are asked for. Throws a DataError where there are none. */
export async function openFolder(directory: string, options: FolderOptions): Promise<Dataset> {
  await requireDirectory(directory);
  const found = await classFolders(directory);
  const classes = options.classes ?? found;
  refuseUnknownClasses(directory, found, classes);
  const folders = found.map((name) => join(directory, name));
  const names = await Promise.all(folders.map(imageNames));
  refuseEmptyClasses(folders, names);
  const files = found.flatMap((className, index): LabelledFile[] => {
    const label = classes.indexOf(className);
    return names[index]!.map((name) => ({ path: join(folders[index]!, name), label }));
  });
  const skips = new SkipCounter(directory, files.length, options);
  const get = (index: number) => decodeFile(files[index]!, options.channels, skips);
  return { name: directory, classes, length: files.length, pixels: "bytes", get };
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

function refuseUnknownClasses(
  directory: string,
  found: readonly string[],
  classes: readonly string[],
): void {
  const unknown = found.filter((name) => !classes.includes(name));
  if (unknown.length === 0) return;
  const names = unknown.slice(0, 5).join(", ") + (unknown.length > 5 ? ", ..." : "");
  throw new DataError(
    `${directory} has ${unknown.length === 1 ? "a class" : `${unknown.length} classes`} that training does not have: ${names}`,
    "the class folders of all splits need the same names",
  );
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
    "images end in .jpg, .jpeg, .png or .webp and lie directly in the folder; delete the folder if it is no class",
  );
}

async function decodeFile(
  { path, label }: LabelledFile,
  channels: 1 | 3,
  skips: SkipCounter,
): Promise<Example | undefined> {
  if (skips.has(path)) return undefined;
  try {
    return { image: await decodeImage(await readFile(path), channels), label };
  } catch (error) {
    skips.add(path, (error as Error).message.split("\n")[0]!);
    return undefined;
  }
}
