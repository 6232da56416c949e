/** Folders of pictures with boxes or masks, which `netc init` would otherwise read as classes. */
import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "../runtime/data/error.js";
import { IMAGE_ENDINGS } from "../runtime/node/data/decode.js";
import { listFolder } from "../runtime/node/data/files.js";
import { filesByName } from "../runtime/node/data/pairs.js";
import { UnusedEntries } from "../runtime/node/data/unused.js";

/** Pictures and what they are labeled with, as paths. */
export interface DenseFolders {
  readonly kind: "boxes" | "masks";
  readonly images: string;
  /** A folder of text files or masks, or COCO's JSON file. */
  readonly labels: string;
  readonly pictures: number;
  /** Pictures with a file of labels; undefined of a JSON file. */
  readonly labeled: number | undefined;
}

const MASKS = /mask|label|annot|segm|truth|^gt$|target/i;
const SPLITS = ["train", "training"];

/** More are class folders, which may hold millions of files. */
const MOST_FOLDERS = 20;

/** Looks in the folder, and in the folder of its train split. */
export async function findDense(directory: string): Promise<DenseFolders | undefined> {
  for (const folder of [directory, ...SPLITS.map((name) => join(directory, name))]) {
    const found = await denseIn(folder);
    if (found) return found;
  }
  return undefined;
}

async function denseIn(folder: string): Promise<DenseFolders | undefined> {
  const names = (await listFolder(folder).catch(() => [])).map(({ name }) => name);
  const folders = await foldersOf(folder, names);
  if (folders.length > MOST_FOLDERS) return undefined;
  const pictures = await Promise.all(folders.map((path) => stemsOf(path, IMAGE_ENDINGS)));
  const texts = await Promise.all(folders.map((path) => stemsOf(path, ["txt"])));
  for (const [place, images] of folders.entries()) {
    const stems = pictures[place]!;
    const partner = (
      others: readonly ReadonlySet<string>[],
      isPossible: (path: string) => boolean,
    ) =>
      folders.flatMap((labels, other) => {
        const labeled = [...stems].filter((stem) => others[other]!.has(stem)).length;
        const isPartner = labels !== images && isPossible(labels) && 2 * labeled > stems.size;
        return isPartner ? [{ images, labels, pictures: stems.size, labeled }] : [];
      })[0];
    const boxes = partner(texts, () => true);
    if (boxes) return { kind: "boxes", ...boxes };
    const nameOf = (path: string) => path.slice(folder.length + 1);
    const masks = partner(
      pictures,
      (path) => MASKS.test(nameOf(path)) && !MASKS.test(nameOf(images)),
    );
    if (masks) return { kind: "masks", ...masks };
  }
  return coco(folder, names, folders, pictures);
}

/** One folder with pictures, and a JSON file next to it or in another folder. */
async function coco(
  folder: string,
  names: readonly string[],
  folders: readonly string[],
  pictures: readonly ReadonlySet<string>[],
): Promise<DenseFolders | undefined> {
  const places = pictures.flatMap((stems, place) => (stems.size > 0 ? [place] : []));
  const [place] = places;
  if (place === undefined || places.length > 1) return undefined;
  const others = await Promise.all(
    folders.map(async (path) => (await listFolder(path)).map(({ name }) => join(path, name))),
  );
  const files = [...names.map((name) => join(folder, name)), ...others.flat()];
  for (const labels of files.filter((path) => /\.json$/i.test(path)).sort()) {
    if (!(await isCoco(labels))) continue;
    const images = folders[place]!;
    return { kind: "boxes", images, labels, pictures: pictures[place]!.size, labeled: undefined };
  }
  return undefined;
}

async function foldersOf(folder: string, names: readonly string[]): Promise<readonly string[]> {
  const paths = names.filter((name) => !name.startsWith(".")).map((name) => join(folder, name));
  const isFolder = await Promise.all(
    paths.map(async (path) => (await stat(path).catch(() => undefined))?.isDirectory() ?? false),
  );
  return paths.filter((_, index) => isFolder[index]).sort();
}

/** Without those of a folder in which two files have one name: it is read as something else. */
async function stemsOf(folder: string, endings: readonly string[]): Promise<ReadonlySet<string>> {
  try {
    return new Set((await filesByName(folder, endings, new UnusedEntries())).keys());
  } catch (error) {
    if (error instanceof DataError) return new Set();
    throw error;
  }
}

const BEGINNING = 4096;

/** COCO's lists are among the first keys of its files. */
async function isCoco(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(BEGINNING), 0, BEGINNING, 0);
    return /"(images|annotations|categories|info|licenses)"\s*:\s*[[{]/.test(
      buffer.subarray(0, bytesRead).toString("utf8"),
    );
  } finally {
    await file.close();
  }
}
