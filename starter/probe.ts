/** Looks at one picture without keeping it. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { decodeImage, describeFailure, refuseTooLarge } from "../runtime/node/data/decode.js";
import { decodePlain } from "../runtime/node/data/plain-formats.js";

export interface Picture {
  readonly path: string;
  readonly label: number;
  readonly split: "train" | "evaluation";
}

/** What a file says of its picture before it is decoded. */
export interface ProbedPicture extends Picture {
  /** After the camera's orientation is applied. */
  readonly width: number;
  readonly height: number;
  readonly isRotated: boolean;
  /** Of the file's bytes. */
  readonly digest: string;
}

export interface Unreadable extends Picture {
  readonly failure: string;
}

/** Orientations of EXIF from this one on exchange width and height. */
const FIRST_SIDEWAYS = 5;

/** Reads a picture's size and digest. A file that is not a picture is a result, too. */
export async function probe(picture: Picture): Promise<ProbedPicture | Unreadable> {
  try {
    const bytes = await readFile(picture.path);
    if (bytes.length === 0) return { ...picture, failure: "the file is empty" };
    const { width, height, orientation } = await measurePicture(bytes);
    refuseTooLarge(width, height);
    const isSideways = orientation >= FIRST_SIDEWAYS;
    return {
      ...picture,
      width: isSideways ? height : width,
      height: isSideways ? width : height,
      isRotated: orientation !== 1,
      digest: createHash("sha256").update(bytes).digest("hex"),
    };
  } catch (error) {
    return { ...picture, failure: describeFailure((error as Error).message) };
  }
}

/** Size and orientation as the file has them, without decoding where the format allows it. */
async function measurePicture(bytes: Uint8Array) {
  const plain = await decodePlain(bytes, refuseTooLarge);
  if (plain) return { width: plain.width, height: plain.height, orientation: 1 };
  const { default: sharp } = await import("sharp");
  const about = await sharp(bytes, { limitInputPixels: false }).metadata();
  const { width, height: whole, pageHeight: height = whole, orientation = 1 } = about;
  return { width, height, orientation };
}

/** Sums over the pixels of a picture, of values in 0..1. */
export interface PixelSums {
  readonly pixels: number;
  readonly sums: readonly [number, number, number];
  readonly squares: readonly [number, number, number];
  /** Whether some pixel has a color. */
  readonly hasColor: boolean;
}

/**
 * Decodes a picture scaled to `size` pixels on its shorter side, as training does. Rejects, in
 * words for the user, where it is damaged.
 */
export async function sumPixels(path: string, size: number): Promise<PixelSums> {
  const { width, height, pixels } = await decodeImage(await readFile(path), 3);
  const scale = size / Math.min(width, height);
  const { default: sharp } = await import("sharp");
  const { data } = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .resize(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)))
    .raw({ depth: "uchar" })
    .toBuffer({ resolveWithObject: true });
  return sumChannels(data);
}

function sumChannels(data: Uint8Array): PixelSums {
  const sums: [number, number, number] = [0, 0, 0];
  const squares: [number, number, number] = [0, 0, 0];
  let hasColor = false;
  for (let at = 0; at < data.length; at += 3) {
    hasColor ||= data[at] !== data[at + 1] || data[at] !== data[at + 2];
    for (const channel of [0, 1, 2] as const) {
      const value = data[at + channel]! / 255;
      sums[channel] += value;
      squares[channel] += value * value;
    }
  }
  return { pixels: data.length / 3, sums, squares, hasColor };
}
