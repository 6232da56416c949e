/**
 * Two folders, of images and of their masks: IMAGES/NAME.jpg and MASKS/NAME.png. Folders within
 * them count as parts of the names.
 */
import { extname, join } from "node:path";
import type { Dataset } from "../../data/dataset.js";
import { DataError } from "../../data/error.js";
import { IMAGE_ENDINGS } from "./decode.js";
import { encodedDataset, type EncodedImage, type EncodedOptions } from "./encoded.js";
import { listFolder, requireDirectory } from "./files.js";
import type { MaskLabels } from "./read-mask.js";
import { UnusedEntries } from "./unused.js";

export interface PairsOptions extends EncodedOptions {
  /** The folder of the masks. */
  readonly masks: string;
  readonly labels: MaskLabels;
  /** Names of the classes; their numbers unless given. */
  readonly names?: readonly string[] | undefined;
}

/**
 * Images with the masks of the same name, decoded each time they are asked for. Throws a DataError
 * where there are none, or where two files have one name.
 */
export async function openPairs(images: string, options: PairsOptions): Promise<Dataset> {
  const { masks, labels, names, onNotice } = options;
  checkNames(names, labels);
  const unused = new UnusedEntries();
  const pictures = await filesByName(images, IMAGE_ENDINGS, unused);
  const masksByName = await filesByName(masks, ["png"], unused);
  const paired = [...pictures].filter(([name]) => masksByName.has(name));
  if (paired.length === 0) throw noPairs(images, masks, { pictures, masksByName });
  noteLonely(pictures, masksByName, "without a mask", unused);
  noteLonely(masksByName, pictures, "without an image", unused);
  unused.say(`${images} and ${masks}`, onNotice);
  const files = paired.map(([name, path]): EncodedImage => {
    return { name: path, label: 0, from: { path }, mask: masksByName.get(name)! };
  });
  const classes = names ?? Array.from({ length: labels.classes }, (_, label) => String(label));
  const dataset = encodedDataset({ name: images, classes }, files, { ...options, mask: labels });
  return { ...dataset, labelAt: undefined };
}

function checkNames(names: readonly string[] | undefined, { classes }: MaskLabels): void {
  if (!names || names.length === classes) return;
  throw new DataError(
    `\`pairs\` names ${names.length} classes, but the masks of the model have ${classes}`,
    "name each class once, in the order of the labels",
  );
}

type Files = ReadonlyMap<string, string>;

/** Paths of the files with these endings by their names, without ending, sorted. */
export async function filesByName(
  folder: string,
  endings: readonly string[],
  unused: UnusedEntries,
): Promise<Files> {
  await requireDirectory(folder);
  const files = new Map<string, string>();
  for (const name of await namesIn(folder, "", unused)) {
    const path = join(folder, name);
    const ending = extname(name);
    if (!endings.includes(ending.slice(1).toLowerCase())) {
      unused.add(ending.toLowerCase() || "without an ending", path);
      continue;
    }
    const stem = name.slice(0, -ending.length);
    const other = files.get(stem);
    if (other) throw new DataError(`${other} and ${path} have one name`, "remove one of them");
    files.set(stem, path);
  }
  return files;
}

/** Names of the files in a folder and the folders in it, sorted; hidden ones are left out. */
async function namesIn(folder: string, within: string, unused: UnusedEntries): Promise<string[]> {
  const names: string[] = [];
  const entries = [...(await listFolder(join(folder, within)))];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = join(within, entry.name);
    if (entry.name.startsWith(".")) unused.add("hidden", join(folder, name));
    else if (entry.isDirectory()) names.push(...(await namesIn(folder, name, unused)));
    else names.push(name);
  }
  return names;
}

export function noteLonely(
  files: Files,
  others: Files,
  reason: string,
  unused: UnusedEntries,
): void {
  for (const [name, path] of files) if (!others.has(name)) unused.add(reason, path);
}

function noPairs(
  images: string,
  masks: string,
  { pictures, masksByName }: { readonly pictures: Files; readonly masksByName: Files },
): DataError {
  const [picture] = pictures.values();
  const [mask] = masksByName.values();
  const found = `${pictures.size} images${picture ? ` (${picture}, for instance)` : ""}`;
  const others = `${masksByName.size} masks${mask ? ` (${mask}, for instance)` : ""}`;
  return new DataError(
    `no image of ${images} has a mask in ${masks}: there are ${found} and ${others}`,
    "give an image and its mask the same name: images/cat.jpg and masks/cat.png",
  );
}
