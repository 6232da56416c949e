/**
 * Datasets of encoded images, wherever they lie: decoded in the pool each time they are asked for.
 */
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { transformBoxes } from "../../data/boxes.js";
import type { Boxes, Dataset, Example, Stage } from "../../data/dataset.js";
import { DataError } from "../../data/error.js";
import { decodeInPool } from "./decode-pool.js";
import type { ImageBytes } from "./decode-task.js";
import type { MaskLabels } from "./read-mask.js";
import { SkipCounter, type SkipOptions } from "./skipped.js";

export interface EncodedImage {
  /** For messages. */
  readonly name: string;
  readonly label: number;
  /** Where it lies, or how to get it; undefined where there is none. */
  readonly from: ImageBytes | (() => Promise<Uint8Array | undefined>);
  /** What the target's numbers are, if it has numbers. */
  readonly numbers?: Float32Array | Uint32Array | undefined;
  /** The file of its mask, if it has one. */
  readonly mask?: string;
  /** Its boxes, where the dataset has boxes. */
  readonly boxes?: readonly BoxLine[];
  /** The file of its boxes, if they have a separate one. */
  readonly boxesFrom?: string | undefined;
  /** What the file of its boxes says of its size, where they were in pixels. */
  readonly size?: ImageSize;
}

interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** A box by its class, middle and size, in shares of the image. */
export interface BoxLine {
  readonly label: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A list of images, of which not all need to be in memory. */
export interface EncodedImages {
  readonly length: number;
  at(index: number): EncodedImage | undefined;
}

export interface EncodedOptions extends SkipOptions {
  /** Channels of the network's input: gray images become RGB and the reverse. */
  readonly channels: 1 | 3;
  /** What masks may hold. */
  readonly mask?: MaskLabels;
  /** The most boxes of an image that the network's target holds. */
  readonly mostBoxes?: number;
}

export function encodedDataset(
  description: Pick<Dataset, "name" | "classes" | "contents" | "groupAt" | "parts" | "table">,
  images: EncodedImages,
  options: EncodedOptions,
): Dataset {
  const skips = new SkipCounter(description.name, images.length, options);
  const reader = new EncodedReader(images, options, skips);
  return {
    ...description,
    length: images.length,
    pixels: "bytes",
    labelAt: (index) => images.at(index)!.label,
    nameAt: (index) => images.at(index)!.name,
    unreadable: () => skips.count,
    newlySkipped: () => skips.take(),
    noteSkipped: (skipped) => skips.note(skipped),
    get: (index) => reader.read(index, undefined),
    prepare: (index, stage) => reader.read(index, stage),
  };
}

class EncodedReader {
  private saidFrames = false;

  constructor(
    private readonly images: EncodedImages,
    private readonly options: EncodedOptions,
    private readonly skips: SkipCounter,
  ) {}

  async read(index: number, stage: Stage | undefined): Promise<Example | undefined> {
    const example = this.images.at(index)!;
    const { name, label, numbers, from: place, mask: path, boxes: lines, size } = example;
    if (this.skips.has(name)) return undefined;
    const from = typeof place === "function" ? await fetchBytes(place) : place;
    if (from === undefined) {
      this.skips.add(name, "it holds no image");
      return undefined;
    }
    const { channels, mask: labels, mostBoxes = 0 } = this.options;
    const mask = path !== undefined && labels ? { path, ...labels } : undefined;
    const result = await decodeInPool({ from, channels, mask, stage });
    if ("mistake" in result) {
      throw new DataError(`${name}: ${result.mistake.message}`, result.mistake.hint);
    }
    if ("failure" in result) {
      refuseVanished(from);
      this.skips.add(name, result.failure);
      return undefined;
    }
    this.sayFrames(name, result.frames);
    if (size) checkSize(name, size, result.size);
    const boxes = lines && boxesOf(lines, { ...result.size, most: mostBoxes });
    const moved = boxes && stage ? transformBoxes(boxes, stage.transforms, stage.key) : boxes;
    return { image: result.image, label, numbers, mask: result.mask, boxes: moved };
  }

  private sayFrames(name: string, frames: number): void {
    if (frames === 1 || this.saidFrames) return;
    this.saidFrames = true;
    this.options.onNotice?.(
      `${name} is animated: of its ${frames} frames the first is used, as of all such images`,
    );
  }
}

/** In the pixels of an image of this size, without what is beyond it. */
function boxesOf(lines: readonly BoxLine[], size: Omit<Boxes, "items">): Boxes {
  const share = (value: number) => Math.min(1, Math.max(0, value));
  const items = lines.map(({ label, x, y, width, height }) => ({
    label,
    left: share(x - width / 2) * size.width,
    right: share(x + width / 2) * size.width,
    top: share(y - height / 2) * size.height,
    bottom: share(y + height / 2) * size.height,
  }));
  return { ...size, items };
}

/** Boxes in the pixels of another image would be wrong ones. */
function checkSize(name: string, listed: ImageSize, found: ImageSize): void {
  if (listed.width === found.width && listed.height === found.height) return;
  throw new DataError(
    `${name} has ${found.width}x${found.height} pixels (width x height), ` +
      `and the file of its boxes says ${listed.width}x${listed.height}`,
    "boxes are in pixels: give the image the size that it had when they were drawn",
  );
}

async function fetchBytes(
  fetch: () => Promise<Uint8Array | undefined>,
): Promise<ImageBytes | undefined> {
  const bytes = await fetch();
  return bytes && { bytes };
}

/**
 * An image that cannot be read is skipped; that its folder, or the shard that it is a part of, is
 * gone is not a fault of the image.
 */
function refuseVanished(from: ImageBytes): void {
  if (!("path" in from)) return;
  const isPart = from.offset !== undefined;
  const place = isPart ? from.path : dirname(from.path);
  if (existsSync(place)) return;
  throw new DataError(
    `the ${isPart ? "file" : "folder"} ${place} does not exist any more`,
    "bring it back, with the images that were in it",
  );
}
