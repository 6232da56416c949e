/**
 * What a run reads its examples from. A dataset is random access, so that shuffles and resumed runs cost nothing, and
 * knows neither transforms nor batches: loader.ts adds both.
 */

/** A decoded image: rows from the top, channels interleaved, `height * width * channels` values. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** Bytes as decoded, or floats once a transform has made them so. */
  readonly pixels: Uint8Array | Float32Array;
  /** The value that stands for full intensity; divides the pixels when they go to the network. */
  readonly maximum: number;
}

export interface Example {
  readonly image: Image;
  /** Index into the dataset's classes. */
  readonly label: number;
}

export interface Dataset {
  /** For messages: a folder or a file. */
  readonly name: string;
  /** Names of the classes in the order of their labels. */
  readonly classes: readonly string[];
  readonly length: number;
  /**
   * The example at `index`, 0 to length - 1; undefined where its file cannot be decoded and the dataset has
   * reported it. Throws a DataError once too many cannot.
   */
  get(index: number): Promise<Example | undefined>;
}

/** The size of a network's input. */
export interface InputShape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Examples ready for a network. */
export interface Batch {
  /** Position among the epoch's batches, from 0. */
  readonly position: number;
  /** Number of images; smaller than the batch size in the last batch and where files were skipped. */
  readonly count: number;
  /** NCHW, `count * channels * height * width` values. */
  readonly images: Float32Array;
  readonly labels: Uint32Array;
}

/** Batches in one pass over `examples` examples; the last one may be partial. */
export function countBatches(examples: number, batch: number): number {
  return Math.ceil(examples / batch);
}
