/**
 * One image file to the example that a batch takes: read, decode, and whatever transforms happen
 * before it is staged. Runs in any thread.
 */
import type { Image, Stage } from "../../data/dataset.js";
import { DataError } from "../../data/error.js";
import { transformMask } from "../../data/masks.js";
import type { Mask } from "../../data/dataset.js";
import { applyTransforms } from "../../data/apply.js";
import { isOutOfFiles, openFile, OUT_OF_FILES, readBytes } from "../read-file.js";
import { decodePicture } from "./decode.js";
import { checkMask, decodeMask, type MaskLabels } from "./read-mask.js";

/** Where an encoded image lies: a file, a part of one, or memory. */
export type ImageBytes =
  | { readonly path: string; readonly offset?: number; readonly length?: number }
  | { readonly bytes: Uint8Array };

export interface DecodeTask {
  readonly from: ImageBytes;
  readonly channels: 1 | 3;
  /** Where the image's mask lies, and what it may hold. */
  readonly mask?: (MaskLabels & { readonly path: string }) | undefined;
  /** Undefined where the image is wanted as it is. */
  readonly stage: Stage | undefined;
}

export type DecodeResult =
  | {
      readonly image: Image;
      readonly mask?: Mask | undefined;
      /** Of the image before the transforms. */
      readonly size: { readonly width: number; readonly height: number };
      readonly frames: number;
      /**
       * Whether transforms have made the image, in memory that may move to another thread. That of
       * libraries may not.
       */
      readonly isMade: boolean;
    }
  /** The file cannot be decoded: why. */
  | { readonly failure: string }
  /** A transform cannot be applied to the image, or no file can be opened. */
  | { readonly mistake: { readonly message: string; readonly hint: string | undefined } };

export async function runDecodeTask(task: DecodeTask): Promise<DecodeResult> {
  const { from, channels, stage } = task;
  let decoded: { readonly image: Image; readonly frames: number };
  try {
    decoded = await decodePicture(await bytesOf(from), channels);
  } catch (error) {
    // The image may be in order.
    if (isOutOfFiles(error)) return { mistake: { message: OUT_OF_FILES, hint: undefined } };
    return { failure: (error as Error).message.trim().split("\n")[0]! };
  }
  try {
    const mask = await readMask(task, decoded.image);
    const { width, height } = decoded.image;
    const size = { width, height };
    if (!stage) return { ...decoded, mask, size, isMade: false };
    const image = applyTransforms(decoded.image, stage.transforms, stage.key);
    const isMade = image.pixels !== decoded.image.pixels;
    const moved = mask && transformMask(mask, stage.transforms, stage.key);
    return { ...decoded, image, mask: moved, size, isMade };
  } catch (error) {
    // Errors lose their class on the way between threads.
    if (!(error instanceof DataError)) throw error;
    return { mistake: { message: error.message, hint: error.hint } };
  }
}

/** Throws a DataError where the mask does not decode, does not fit, or has other labels. */
async function readMask({ mask }: DecodeTask, image: Image): Promise<Mask | undefined> {
  if (!mask) return undefined;
  const { path, ignore } = mask;
  try {
    const decoded = await decodeMask(await readBytes(path));
    checkMask(decoded, mask);
    const { width, height } = decoded;
    if (width !== image.width || height !== image.height) {
      const sizes = `${width}x${height}, and its image ${image.width}x${image.height}`;
      throw new Error(`it has ${sizes} pixels (width x height)`);
    }
    return { ...decoded, channels: 1, maximum: 255, ignore };
  } catch (error) {
    throw new DataError(`the mask ${path}: ${(error as Error).message}`);
  }
}

async function bytesOf(from: ImageBytes): Promise<Uint8Array> {
  if ("bytes" in from) return from.bytes;
  const { path, offset, length } = from;
  if (offset === undefined || length === undefined) return readBytes(path);
  const file = await openFile(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, offset);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
