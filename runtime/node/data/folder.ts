/**
 * DIR/CLASS/IMAGE.{jpg,png,...}: a folder for each class, labels in the order of their sorted
 * names. As with torchvision's ImageFolder, images may lie in folders of their class's folder:
 * CLASS/images/IMAGE.jpg.
 */
import { realpath, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import type { Dataset } from "../../data/dataset.js";
import { DataError } from "../../data/error.js";
import { IMAGE_ENDINGS } from "./decode.js";
import { encodedDataset, type EncodedImage, type EncodedOptions } from "./encoded.js";
import { listFolder, requireDirectory, type FolderEntry } from "./files.js";
import { numberNames } from "./labels.js";
import { UnusedEntries } from "./unused.js";

export interface FolderOptions extends EncodedOptions {
  /** Labels follow these classes, those of training; without them, the folder's own. */
  readonly classes?: readonly string[] | undefined;
  /**
   * The class folders that are read, in the order of their labels; all of them, sorted, unless
   * given.
   */
  readonly only?: readonly string[] | undefined;
}

const IMAGE_FILE = new RegExp(`\\.(${IMAGE_ENDINGS.join("|")})$`, "i");

/** The images of a folder with class folders. */
export interface FolderListing {
  /** Names of the class folders. */
  readonly classes: readonly string[];
  /** Paths of the images of each class. */
  readonly images: readonly (readonly string[])[];
  readonly unused: UnusedEntries;
}

/**
 * Lists the images of a folder without opening them; of all classes, sorted, or of those in `only`.
 * Throws a DataError where there are none.
 */
export async function listImages(
  directory: string,
  only?: readonly string[],
): Promise<FolderListing> {
  await requireDirectory(directory);
  const unused = new UnusedEntries();
  const classes = pickClasses(directory, await classFolders(directory, unused), only);
  const around = [await realpath(directory)];
  const folders = await Promise.all(
    classes.map((name) => readClass(join(directory, name), { around, unused })),
  );
  refuseSplits(directory, folders);
  refuseEmptyClasses(folders);
  return { classes, images: folders.map(({ images }) => images), unused };
}

/**
 * The images of a folder, decoded each time they are asked for. Throws a DataError where there are
 * none.
 */
export async function openFolder(directory: string, options: FolderOptions): Promise<Dataset> {
  const { classes: found, images, unused } = await listImages(directory, options.only);
  const { classes, numbers } = numberNames(directory, found, options.classes);
  unused.say(directory, options.onNotice);
  const files = images.flatMap((paths, index): EncodedImage[] =>
    paths.map((path) => ({ name: path, label: numbers[index]!, from: { path } })),
  );
  return encodedDataset({ name: directory, classes }, files, options);
}

/**
 * Names of the folders in `directory`, links followed, hidden ones left out, sorted by code units.
 */
export async function subdirectories(directory: string): Promise<string[]> {
  return (await splitEntries(directory)).folders;
}

/** The entries of a folder that are not hidden, sorted by code units. */
async function splitEntries(directory: string) {
  const entries = await listFolder(directory);
  const shown = entries.filter(({ name }) => !name.startsWith("."));
  const isFolder = await Promise.all(shown.map((entry) => leadsToFolder(directory, entry)));
  const names = (wanted: boolean) =>
    shown
      .filter((_, index) => isFolder[index] === wanted)
      .map(({ name }) => name)
      .sort();
  const hidden = entries.filter(({ name }) => name.startsWith(".")).map(({ name }) => name);
  return { folders: names(true), files: names(false), hidden };
}

async function leadsToFolder(directory: string, entry: FolderEntry): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  const target = await stat(join(directory, entry.name)).catch(() => undefined);
  return target?.isDirectory() ?? false;
}

async function classFolders(directory: string, unused: UnusedEntries): Promise<string[]> {
  const { folders, files, hidden } = await splitEntries(directory);
  hidden.forEach((name) => unused.add("hidden", join(directory, name)));
  files.forEach((name) => unused.add("outside of the class folders", join(directory, name)));
  if (folders.length > 0) return folders;
  const images = files.filter((name) => IMAGE_FILE.test(name)).length;
  throw new DataError(
    files.length === 0
      ? `${directory} is empty`
      : `${directory} has no class folders` +
          (images > 0 ? `, but ${images} image${images === 1 ? "" : "s"}` : ""),
    "put each class's images into a separate folder: DIR/CLASS/IMAGE.jpg",
  );
}

/** Throws a DataError where one of the wanted folders is missing. */
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

interface ClassFolder {
  readonly path: string;
  /** Paths of its images, those of its folders included. */
  readonly images: readonly string[];
  /** Names of the folders in it. */
  readonly folders: readonly string[];
  /** Whether an image is in the folder itself. */
  readonly hasOwnImages: boolean;
}

interface Place {
  /** Real paths of the folders that hold this one, the outermost first. */
  readonly around: readonly string[];
  readonly unused: UnusedEntries;
}

/**
 * The images of a class: those of its folder first, then those of the folders in it, by name.
 * Throws a DataError for a link to a folder that holds it: its images would have no end.
 */
async function readClass(path: string, { around, unused }: Place): Promise<ClassFolder> {
  const real = await realpath(path);
  if (around.includes(real)) throw linkInCircle(path, real);
  const inside = { around: [...around, real], unused };
  const { folders, files, hidden } = await splitEntries(path);
  const within = (name: string) => join(path, name);
  hidden.forEach((name) => unused.add("hidden", within(name)));
  const own = files.filter((name) => IMAGE_FILE.test(name));
  const others = files.filter((name) => !IMAGE_FILE.test(name));
  others.forEach((name) => unused.add(endingOf(name), within(name)));
  const images = own.map(within);
  for (const name of folders) images.push(...(await readClass(within(name), inside)).images);
  return { path, images, folders, hasOwnImages: own.length > 0 };
}

/** By what a file that is not read is counted: `.txt`. */
const endingOf = (name: string) => extname(name).toLowerCase() || "without an ending";

function linkInCircle(path: string, real: string): DataError {
  return new DataError(
    `${path} is a link to ${real}, a folder that holds the link`,
    `remove ${path}, or let it lead to a folder of images`,
  );
}

const SPLITS: readonly string[] = ["train", "val", "valid", "validation", "test"];

/** Throws a DataError where what should be classes are the splits of a data set. */
function refuseSplits(directory: string, classes: readonly ClassFolder[]): void {
  const splits = classes.filter(
    ({ path, hasOwnImages, folders }) =>
      !hasOwnImages && folders.length > 0 && SPLITS.includes(basename(path).toLowerCase()),
  );
  if (splits.length === 0) return;
  const names = splits.map(({ path }) => `${basename(path)}/`).join(", ");
  throw new DataError(
    `${directory} holds splits (${names}), where class folders are expected`,
    `name a split's own folder in the spec: folder("${splits[0]!.path}")`,
  );
}

function refuseEmptyClasses(classes: readonly ClassFolder[]): void {
  const empty = classes.find(({ images }) => images.length === 0);
  if (!empty) return;
  const { path, folders } = empty;
  const endings = IMAGE_ENDINGS.map((ending) => `.${ending}`).join(", ");
  throw new DataError(
    `the class folder ${path} holds no images` +
      (folders.length > 0 ? `, nor do its folders (${folders.slice(0, 3).join(", ")})` : ""),
    `images end in ${endings}; delete ${path} if it is not a class`,
  );
}
