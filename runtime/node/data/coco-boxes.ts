/**
 * COCO's annotations of objects: one JSON file with images, categories, and for each box the pixels
 * of its left, top, width and height.
 */
import { join } from "node:path";
import { DataError } from "../../data/error.js";
import { readText } from "../read-file.js";
import { listShort } from "./class-names.js";
import type { BoxLine, EncodedImage } from "./encoded.js";

/** What a file says of its images, and what it says that is left out. */
export interface CocoBoxes {
  /** In the order of their numbers in the network. */
  readonly classes: readonly string[];
  readonly images: readonly EncodedImage[];
  readonly notices: readonly string[];
}

interface CocoOptions {
  /** The folder of the images. */
  readonly images: string;
  /** Classes to read, in the order of their numbers; all in the order of their ids if left out. */
  readonly names?: readonly string[] | undefined;
  /** Of the network. */
  readonly count: number;
}

/** Parts of the file, of which nothing is known yet. */
type Entry = Readonly<Record<string, unknown>>;

/** Reads a file. Throws a DataError where it is not COCO's, and where its classes do not fit. */
export async function readCoco(path: string, options: CocoOptions): Promise<CocoBoxes> {
  const lists = parsed(await readText(path), path);
  const { classes, numbers } = classesOf(lists.categories, path, options);
  const images = new Map(lists.images.map((entry) => [entry["id"], imageOf(entry, path, options)]));
  const left = { other: 0, crowds: 0, flat: 0 };
  lists.annotations.forEach((entry, index) => {
    const place = `${path}: annotation ${idOf(entry, String(index))}`;
    const image = images.get(entry["image_id"]);
    if (!image)
      throw new DataError(
        `${place} is of image ${JSON.stringify(entry["image_id"])}, which there is not`,
      );
    const label = numbers.get(entry["category_id"]);
    if (label === undefined) left.other++;
    else if (entry["iscrowd"] === 1) left.crowds++;
    else if (!add(image, { entry, label, place })) left.flat++;
  });
  return { classes, images: [...images.values()], notices: noticesOf(path, left) };
}

function parsed(text: string, path: string) {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    throw new DataError(`${path} is not JSON: ${(error as Error).message}`);
  }
  const whole = isEntry(value) ? value : {};
  const list = (name: "images" | "annotations" | "categories") => {
    const entries = whole[name];
    if (Array.isArray(entries) && entries.every(isEntry)) return entries;
    throw new DataError(
      `${path} has no list \`${name}\`: it is not a file of COCO's annotations`,
      'such a file has `{"images": [...], "annotations": [...], "categories": [...]}`',
    );
  };
  return {
    images: list("images"),
    annotations: list("annotations"),
    categories: list("categories"),
  };
}

const idOf = ({ id }: Entry, otherwise: string) =>
  id === undefined ? otherwise : JSON.stringify(id);

const isEntry = (value: unknown): value is Entry =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Ids of categories have gaps: the classes are numbered in their order. */
function classesOf(categories: readonly Entry[], path: string, { names, count }: CocoOptions) {
  const sorted = [...categories].sort((a, b) => Number(a["id"]) - Number(b["id"]));
  const known = sorted.map((entry) => String(entry["name"]));
  const classes = names ?? known;
  const missing = classes.filter((name) => !known.includes(name));
  if (missing.length > 0) {
    throw new DataError(
      `${path} has no category ${listShort(missing)}`,
      `its categories are ${listShort(known)}`,
    );
  }
  if (classes.length !== count) {
    throw new DataError(
      `${path} has ${classes.length} categories (${listShort(classes)}), ` +
        `but the target of the model has ${count} classes`,
      `declare the target \`in 0..${classes.length}\`, ` +
        "or name those to read with `classes=[...]`",
    );
  }
  const numbers = new Map(sorted.map((entry, at) => [entry["id"], classes.indexOf(known[at]!)]));
  for (const [id, label] of numbers) if (label < 0) numbers.delete(id);
  return { classes, numbers };
}

interface ListedImage extends EncodedImage {
  readonly size: { readonly width: number; readonly height: number };
  readonly boxes: BoxLine[];
}

function imageOf(entry: Entry, path: string, { images }: CocoOptions): ListedImage {
  const { file_name: name, width, height } = entry;
  if (typeof name !== "string" || !(Number(width) > 0) || !(Number(height) > 0)) {
    throw new DataError(
      `${path}: image ${idOf(entry, "without id")} needs \`file_name\`, \`width\` and \`height\``,
    );
  }
  const file = join(images, name);
  const size = { width: Number(width), height: Number(height) };
  return { name: file, label: 0, from: { path: file }, boxes: [], size };
}

/** False for a box of which nothing is in the image. */
function add(
  { size, boxes }: ListedImage,
  {
    entry,
    label,
    place,
  }: { readonly entry: Entry; readonly label: number; readonly place: string },
): boolean {
  const given = entry["bbox"];
  const isBox = Array.isArray(given) && given.length === 4 && given.every(Number.isFinite);
  if (!isBox) {
    throw new DataError(
      `${place}: expected \`bbox\` of four numbers, left, top, width and height in pixels, ` +
        `got ${JSON.stringify(given) ?? "none"}`.slice(0, 90),
    );
  }
  const [left, top, width, height] = given as [number, number, number, number];
  const x = inside(left, width, size.width);
  const y = inside(top, height, size.height);
  if (!x || !y) return false;
  boxes.push({ label, x: x.middle, y: y.middle, width: x.length, height: y.length });
  return true;
}

/** The part of a side that is in the image, in shares of it. */
function inside(start: number, length: number, size: number) {
  const from = Math.max(0, start);
  const to = Math.min(size, start + length);
  if (!(Math.fround((to - from) / size) > 0)) return undefined;
  return { middle: (from + to) / 2 / size, length: (to - from) / size };
}

function noticesOf(
  path: string,
  {
    other,
    crowds,
    flat,
  }: { readonly other: number; readonly crowds: number; readonly flat: number },
): readonly string[] {
  const say = (count: number, what: string) =>
    count === 0 ? [] : [`${path}: left out ${count} ${count === 1 ? "box" : "boxes"} ${what}`];
  return [
    ...say(other, "of other categories"),
    ...say(crowds, "around a crowd (`iscrowd`)"),
    ...say(flat, "of which nothing is in the image"),
  ];
}
