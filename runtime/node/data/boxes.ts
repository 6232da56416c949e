/**
 * Two folders, of images and of YOLO's text files of the same names: IMAGES/NAME.jpg and
 * LABELS/NAME.txt, with a line `class x y width height` for each box.
 */
import { DataError } from "../../data/error.js";
import type { Dataset } from "../../data/dataset.js";
import { readBytes } from "../read-file.js";
import { IMAGE_ENDINGS } from "./decode.js";
import { encodedDataset, type BoxLine, type EncodedImage, type EncodedOptions } from "./encoded.js";
import { filesByName, noteLonely } from "./pairs.js";
import { UnusedEntries } from "./unused.js";

export interface BoxesOptions extends EncodedOptions {
  /** The folder of the text files. */
  readonly labels: string;
  /** Classes that the network tells apart. */
  readonly count: number;
  /** The most boxes of an image. */
  readonly mostBoxes: number;
  /** Names of the classes; their numbers unless given. */
  readonly names?: readonly string[] | undefined;
}

/**
 * Images with their boxes; an image without a file has none. Throws a DataError where there are no
 * images, where a line is wrong, and where an image has more boxes than the network's target.
 */
export async function openBoxes(images: string, options: BoxesOptions): Promise<Dataset> {
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
      const boxes = text === undefined ? [] : await readLines(text, options);
      return { name: path, label: 0, from: { path }, boxes };
    }),
  );
  const classes = names ?? Array.from({ length: count }, (_, label) => String(label));
  const dataset = encodedDataset({ name: images, classes }, files, options);
  return { ...dataset, labelAt: undefined };
}

async function readLines(
  path: string,
  { count, mostBoxes }: BoxesOptions,
): Promise<readonly BoxLine[]> {
  const lines = new TextDecoder().decode(await readBytes(path)).split("\n");
  const boxes = lines.flatMap((line, index) => {
    return line.trim() === "" ? [] : [readLine(line, `${path}:${index + 1}`, count)];
  });
  if (boxes.length <= mostBoxes) return boxes;
  throw new DataError(
    `${path} has ${boxes.length} boxes, and the target holds ${mostBoxes} an image`,
    `write \`boxes[N, ${boxes.length}]\` or more`,
  );
}

function readLine(line: string, place: string, count: number): BoxLine {
  const numbers = line.trim().split(/\s+/).map(Number);
  const [label, x, y, width, height] = numbers as [number, number, number, number, number];
  if (numbers.length !== 5 || !numbers.every(Number.isFinite)) {
    throw new DataError(
      `${place}: expected \`class x y width height\`, got \`${line.trim().slice(0, 60)}\``,
    );
  }
  if (!(Number.isInteger(label) && label >= 0 && label < count)) {
    throw new DataError(
      `${place}: class ${label} is not one of the ${count} classes, 0 to ${count - 1}`,
    );
  }
  const isInside = x >= 0 && x <= 1 && y >= 0 && y <= 1;
  if (isInside && width > 0 && width <= 1 && height > 0 && height <= 1)
    return { label, x, y, width, height };
  throw new DataError(
    `${place}: middle ${x}, ${y} and size ${width} x ${height} are not shares of the image`,
    "numbers go from 0 to 1: divide pixels by the width and the height of the image",
  );
}

function noLabels(images: string, labels: string): DataError {
  return new DataError(
    `no image of ${images} has a text file in ${labels}`,
    "give an image and its boxes the same name: images/cat.jpg and labels/cat.txt",
  );
}
