/** Pictures as calls take them, before they are decoded and prepared. */
import type { Program } from "../../program/program.js";
import type { StagedImages } from "../data/dataset.js";
import type { Inputs } from "../examples.js";
import type { Memory } from "../memory.js";

/** A class of browsers; `never` in a project without the DOM's types. */
type Dom<Name extends string> = typeof globalThis extends {
  readonly [name in Name]: { readonly prototype: infer Kind };
}
  ? Kind
  : never;

/**
 * A picture, which calls decode and prepare by the transforms of the spec's eval split: in browsers
 * an ImageBitmap, an image, canvas or video element, an OffscreenCanvas, a VideoFrame or ImageData;
 * in Node the path of a file, or its bytes as a Uint8Array; in both a Blob.
 */
export type Picture =
  | string
  | Uint8Array
  | Blob
  | Dom<"ImageBitmap">
  | Dom<"ImageData">
  | Dom<"HTMLImageElement">
  | Dom<"HTMLCanvasElement">
  | Dom<"HTMLVideoElement">
  | Dom<"OffscreenCanvas">
  | Dom<"VideoFrame">;

/** What the one input of a network is made from: a picture, or a list with one for each example. */
export type Pictures = Picture | readonly Picture[];

/** What calls take as inputs. */
export type Given = Inputs | Pictures;

/** The network that pictures are for. */
export interface PictureTarget {
  readonly gpu: GPUDevice;
  readonly program: Program;
  readonly memory: Memory;
}

/** Pictures as they were when a call was made. */
export interface CapturedPictures {
  readonly count: number;
  /**
   * Decodes and resizes them, to as many rows of a batch as the call has. Rejects with InputError
   * where that cannot be done.
   */
  prepare(target: PictureTarget, rows: number): Promise<PreparedPictures>;
}

/** Keeps pictures that may change as soon as it returns. Never throws. */
export type Capture = (given: unknown) => CapturedPictures;

/** Bytes on the device, in the place of a Uint8Array. */
export interface DeviceBytes {
  readonly length: number;
  subarray(start: number, end: number): DeviceBytes;
  copyTo(target: GPUBuffer): void;
}

export interface PreparedPictures extends Pick<StagedImages, "split" | "draws"> {
  readonly staged: Uint8Array | DeviceBytes;
}
