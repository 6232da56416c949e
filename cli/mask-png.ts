/** Masks as PNG files of indices, with a palette for those who look at them. */
import { deflateSync } from "node:zlib";
import { crc32 } from "../interchange/zip/crc32.js";

export interface IndexedPicture {
  readonly width: number;
  readonly height: number;
  /** A class for each pixel. */
  readonly pixels: Uint8Array;
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** 8 bits a pixel, with a palette; deflate, filters by row, not interlaced. */
const FORM = [8, 3, 0, 0, 0] as const;
const COLORS = 256;

/** The PNG file: whoever reads its numbers gets the classes. */
export function indexedPng({ width, height, pixels }: IndexedPicture): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set(FORM, 8);
  const palette = Buffer.from(Array.from({ length: COLORS }, (_, label) => colorOf(label)).flat());
  // A byte before each row says that it has no filter.
  const rows = Buffer.alloc(height * (1 + width));
  for (let row = 0; row < height; row++) {
    rows.set(pixels.subarray(row * width, (row + 1) * width), row * (1 + width) + 1);
  }
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", header),
    chunk("PLTE", palette),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, checksum]);
}

/** The color of a class where none is the background, which masks have as black. */
export const foregroundColor = (label: number): Color => colorOf(label + 1);

export type Color = readonly [red: number, green: number, blue: number];

/**
 * The color of a class, as Pascal VOC's masks have it: bits 0, 3 and 6 of the class are the highest
 * bits of red, bits 1, 4 and 7 those of green, and bits 2 and 5 those of blue.
 */
export function colorOf(label: number): Color {
  const channel = (first: number) =>
    [0, 1, 2].reduce((sum, step) => sum | (((label >> (3 * step + first)) & 1) << (7 - step)), 0);
  return [channel(0), channel(1), channel(2)];
}
