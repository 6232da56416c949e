/**
 * What a run reads its examples from. A dataset is random access, so that shuffles and resumed runs
 * cost nothing, and knows neither transforms nor batches: loader.ts adds both.
 */

import type { Labels } from "../examples.js";
import type { PreparationName } from "../../program/program.js";
import type { Transform } from "../../program/transforms.js";
import type { TupleKind } from "../../program/tuples.js";

/** A decoded image: rows from the top, channels interleaved, `height * width * channels` values. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** Bytes as decoded, or floats once a transform has made them so. */
  readonly pixels: Uint8Array | Float32Array;
  /** The value of full intensity; divides the pixels when they go to the network. */
  readonly maximum: number;
}

/** A mask's labels, one a pixel. */
export interface Mask extends Image {
  readonly pixels: Uint8Array;
  readonly channels: 1;
  /** The label of pixels that count in no score, which a crop beyond the mask gives. */
  readonly ignore: number | undefined;
}

/** A box of a class, in pixels from the upper left corner of its image. */
export interface PixelBox {
  readonly label: number;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The boxes of an image of this size. */
export interface Boxes {
  readonly width: number;
  readonly height: number;
  /** The most that the network's target holds. */
  readonly most: number;
  readonly items: readonly PixelBox[];
}

/** An image with its label, or with a mask, with boxes, or with numbers to predict. */
export interface Example {
  readonly image: Image;
  /** Index into the dataset's classes. */
  readonly label: number;
  /** A label for each pixel, where the dataset has masks. */
  readonly mask?: Mask | undefined;
  /** Where the dataset has boxes. */
  readonly boxes?: Boxes | undefined;
  /** Where the target is numbers, in the order of its shape, or a class for each token. */
  readonly numbers?: Float32Array | Uint32Array | undefined;
}

/** What happens to an example before it comes out of its dataset. */
export interface Stage {
  readonly transforms: readonly Transform[];
  /** Of the random ones. */
  readonly key: ExampleKey;
}

/** What identifies an example's random decisions. */
export interface ExampleKey {
  readonly seed: number;
  readonly epoch: number;
  /** Index in the dataset. */
  readonly example: number;
}

/** An example that could not be read. */
export interface SkippedExample {
  readonly file: string;
  readonly reason: string;
}

/** A number comes to the network as `(number - mean) / std` of its column. */
export interface Scale {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** What tells how a table was read, so that other tables of the run are read in the same way. */
export interface TableFacts {
  /** Names of the columns of each input and target; absent for a table without a header. */
  readonly columns?: Readonly<Record<string, readonly string[]>>;
  /** What columns of an input are standardized by. */
  readonly scale?: Readonly<Record<string, Scale>>;
  /** Names of the classes of each target that is one, in the order of their numbers. */
  readonly classes?: Readonly<Record<string, readonly string[]>>;
}

/** Where an example's numbers go: those of all inputs, and of all targets, lie together. */
export interface TensorParts {
  readonly inputs: readonly TensorPart[];
  readonly targets: readonly TensorPart[];
}

export interface TensorPart {
  readonly name: string;
  /** Numbers of an example. */
  readonly size: number;
  /** Whether they are integers. */
  readonly isWhole: boolean;
}

/** What a dataset of a table, or of boxes, says beyond its examples. */
export interface OfTable {
  /**
   * Changes where the examples do, of datasets whose labels and names do not say so: a digest of
   * numbers or boxes.
   */
  readonly contents?: string | undefined;
  /** Where there are several inputs or targets: an example's image and numbers are these. */
  readonly parts?: TensorParts | undefined;
  /** How the table was read. */
  readonly table?: TableFacts | undefined;
}

/** Examples by index. `fit` and `evaluateDataset` take it. */
export interface Dataset extends OfTable {
  /** For messages: a folder or a file. */
  readonly name: string;
  /** Names of the classes in the order of their labels. */
  readonly classes: readonly string[];
  readonly length: number;
  /**
   * Whether all pixels are bytes, so that the device can prepare them; floats are prepared here.
   * Floats unless given.
   */
  readonly pixels?: "bytes" | "floats";
  /**
   * Where batches draw examples of several pictures: each example here is the first of one. Needs
   * `labelAt`.
   */
  readonly tuples?: TupleKind;
  /** Notes an example that is left out since another one of its pictures could not be read. */
  noteIncomplete?(index: number): void;
  /** How many examples were left out for that reason, at least once. */
  incomplete?(): number;
  /** The largest pixel of the files, before it is divided by their maximum, where it is known. */
  readonly largestPixel?: number;
  /**
   * The example at `index`, 0 to length - 1; undefined where its file cannot be decoded and the
   * dataset has reported it. Throws a DataError once too many cannot.
   */
  get(index: number): Promise<Example | undefined>;
  /** The label at `index`, where it is known without the image. */
  labelAt?(index: number): number;
  /** Where the example at `index` comes from: the path of its file, or a place in one. */
  nameAt?(index: number): string;
  /** Which group the example at `index` belongs to, where a column of the files says it. */
  groupAt?(index: number): string;
  /** How many examples could not be read so far. */
  unreadable?(): number;
  /** The examples that could not be read since the last call, for other ranks. */
  newlySkipped?(): readonly SkippedExample[];
  /** Counts examples that other ranks could not read. Throws a DataError if there are too many. */
  noteSkipped?(skipped: readonly SkippedExample[]): void;
  /**
   * The example after a stage's transforms, where the dataset has a better place for them than the
   * caller's thread.
   */
  prepare?(index: number, stage: Stage): Promise<Example | undefined>;
}

/** The size of a network's input. */
export interface InputShape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/**
 * Images as bytes with what was drawn for each, from which the device makes the network's input by
 * a preparation of its program (program.ts). What each image has lies together.
 */
export interface StagedImages {
  /** Whose preparation. */
  readonly split: PreparationName;
  /** A slot for each image. */
  readonly staged: Uint8Array;
  readonly draws: Uint32Array;
}

/** NCHW floats, ready for the network, or bytes and draws for the device to make them from. */
export type Images = Float32Array | StagedImages;

/** Examples ready for a network. */
export interface Batch {
  /** Position among the epoch's batches, from 0. */
  readonly position: number;
  /**
   * Number of examples; smaller than the batch size in the last batch and where files were skipped.
   */
  readonly count: number;
  /**
   * One for each example, or ten, one after the other, after `ten_crop`. Of a dataset with
   * `tuples`, floats are a Float32Array for each input, by name.
   */
  readonly images: Images;
  /**
   * A class for each image, the first of two where images are mixed; of a dataset with masks, a
   * class for each pixel, and of one with classes of tokens one for each.
   */
  readonly labels: Uint32Array;
  /** What the loss is of: the labels, of mixed images both; of boxes, of numbers: floats. */
  readonly targets: Labels;
}

/** Batches in one pass over this many examples. */
export const batchesOf = (
  examples: number,
  { batch, dropLast = false }: { readonly batch: number; readonly dropLast?: boolean | undefined },
): number => (dropLast ? Math.floor(examples / batch) : countBatches(examples, batch));

/** Batches in one pass over `examples` examples; the last one may be partial. */
export function countBatches(examples: number, batch: number): number {
  return Math.ceil(examples / batch);
}
