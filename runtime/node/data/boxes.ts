/**
 * A folder of images with boxes: either a folder of YOLO's text files of the images' names, or one
 * JSON file as COCO has it.
 */
import { join, relative } from "node:path";
import { DataError } from "../../data/error.js";
import type { Dataset } from "../../data/dataset.js";
import { areNumbers } from "./class-names.js";
import { contentsOfBoxes } from "./contents.js";
import { readCoco } from "./coco-boxes.js";
import { IMAGE_ENDINGS } from "./decode.js";
import { encodedDataset, type BoxLine, type EncodedImage, type EncodedOptions } from "./encoded.js";
import { filesByName, noteLonely } from "./pairs.js";
import { UnusedEntries } from "./unused.js";
import { readYoloFile } from "./yolo-lines.js";

export interface BoxesOptions extends EncodedOptions {
  /** The folder of the text files, or the JSON file. */
  readonly labels: string;
  /** Classes that the network tells apart. */
  readonly count: number;
  /** The most boxes of an image. */
  readonly mostBoxes: number;
  /** Names of the classes; their numbers, or those of the JSON file, unless given. */
  readonly names?: readonly string[] | undefined;
  /** Of the weights or the train split: the order that the JSON file's classes follow. */
  readonly trained?: readonly string[] | undefined;
  /** The network's cells, of which each learns one box. */
  readonly grid?: { readonly width: number; readonly height: number } | undefined;
}

/** Images with their boxes, and the names of the classes. */
interface Labeled {
  readonly classes: readonly string[];
  readonly files: readonly EncodedImage[];
}

/**
 * Images with their boxes. Throws a DataError where there are none, where a line or an annotation
 * is wrong, and where an image has more boxes than the network's target.
 */
export async function openBoxes(images: string, options: BoxesOptions): Promise<Dataset> {
  const isCoco = /\.json$/i.test(options.labels);
  const { classes, files } = await (isCoco ? openCoco : openYolo)(images, options);
  checkBoxes(files, images, options);
  const contents = contentsOfBoxes(files);
  const dataset = encodedDataset({ name: images, classes, contents }, files, options);
  return { ...dataset, labelAt: undefined };
}

/** An image without a text file has no boxes. */
async function openYolo(images: string, options: BoxesOptions): Promise<Labeled> {
  const { labels, count, names, onNotice } = options;
  if (names && names.length !== count) {
    throw new DataError(
      `\`boxes\` names ${names.length} classes, but the target of the model has ${count}`,
      "name each class once, in the order of their numbers",
    );
  }
  const unused = new UnusedEntries();
  const pictures = await filesByName(images, IMAGE_ENDINGS, unused);
  const texts = await filesByName(labels, ["txt"], unused);
  if (pictures.size === 0) throw new DataError(`${images} holds no images`);
  if (![...pictures.keys()].some((name) => texts.has(name))) throw noLabels(images, labels);
  noteLonely(texts, pictures, "without an image", unused);
  unused.say(`${images} and ${labels}`, onNotice);
  const without = [...pictures.keys()].filter((name) => !texts.has(name)).length;
  if (without > 0) {
    const which = without === 1 ? "1 image has no file" : `${without} images have no files`;
    onNotice?.(`${which} in ${labels}, and so no boxes`);
  }
  const files = await Promise.all(
    [...pictures].map(async ([name, path]): Promise<EncodedImage> => {
      const text = texts.get(name);
      const boxes = text === undefined ? [] : await readYoloFile(text, count);
      return { name: path, label: 0, from: { path }, boxes, boxesFrom: text };
    }),
  );
  return { classes: names ?? Array.from({ length: count }, (_, label) => String(label)), files };
}

/** Images that the file does not list are not part of the data. */
async function openCoco(images: string, options: BoxesOptions): Promise<Labeled> {
  const { labels, count, trained, onNotice } = options;
  const order = options.names ?? (trained && !areNumbers(trained) ? trained : undefined);
  const {
    classes,
    images: listed,
    notices,
  } = await readCoco(labels, { images, names: order, count });
  const unused = new UnusedEntries();
  const pictures = await filesByName(images, IMAGE_ENDINGS, unused);
  const found = new Set([...pictures.values()].map((path) => relative(images, path)));
  const files = listed.filter(({ name }) => found.has(relative(images, name)));
  if (files.length === 0) {
    const example = listed[0] ? `, such as ${relative(images, listed[0].name)}` : "";
    throw new DataError(
      `${images} holds none of the ${listed.length} images of ${labels}${example}`,
      "`file_name` is relative to the folder of the images",
    );
  }
  const names = new Set(listed.map(({ name }) => relative(images, name)));
  for (const path of found)
    if (!names.has(path)) unused.add("that it does not list", join(images, path));
  unused.say(`${images} and ${labels}`, onNotice);
  const missing = listed.length - files.length;
  if (missing > 0) {
    const which = missing === 1 ? "1 image" : `${missing} images`;
    onNotice?.(`${images} does not hold ${which} of the ${listed.length} of ${labels}`);
  }
  for (const notice of notices) onNotice?.(notice);
  return { classes, files };
}

const boxesOf = ({ boxes = [] }: EncodedImage): readonly BoxLine[] => boxes;

function checkBoxes(files: readonly EncodedImage[], images: string, options: BoxesOptions): void {
  const { labels, mostBoxes, grid, onNotice } = options;
  const fullest = files.reduce((a, b) => (boxesOf(b).length > boxesOf(a).length ? b : a));
  const most = boxesOf(fullest).length;
  if (most > mostBoxes) {
    throw new DataError(
      `${fullest.boxesFrom ?? fullest.name} has ${most} boxes, ` +
        `and the target holds ${mostBoxes} an image`,
      `write \`boxes[N, ${most}]\` or more`,
    );
  }
  if (most === 0) {
    throw new DataError(
      `no image of ${images} has a box in ${labels}`,
      "all of its files are empty: there is nothing to learn or to measure",
    );
  }
  if (!grid) return;
  const all = files.reduce((sum, file) => sum + boxesOf(file).length, 0);
  const lost = files.reduce((sum, file) => sum + hiddenBoxes(boxesOf(file), grid), 0);
  if (lost === 0) return;
  onNotice?.(
    `${lost} of ${all} boxes have their middle in one of the ${grid.width}x${grid.height} cells ` +
      "with another box's: of each cell only the first is learned; a finer grid has room for more",
  );
}

/** Boxes in a cell that has one already, if the image is only resized. */
function hiddenBoxes(
  boxes: readonly BoxLine[],
  { width, height }: NonNullable<BoxesOptions["grid"]>,
): number {
  const cellOf = (share: number, count: number) => Math.min(count - 1, Math.floor(share * count));
  const cells = boxes.map(({ x, y }) => cellOf(y, height) * width + cellOf(x, width));
  return cells.length - new Set(cells).size;
}

function noLabels(images: string, labels: string): DataError {
  return new DataError(
    `no image of ${images} has a text file in ${labels}`,
    "give an image and its boxes the same name: images/cat.jpg and labels/cat.txt; " +
      'boxes of COCO\'s format are one file: `boxes("images", "instances.json")`',
  );
}
