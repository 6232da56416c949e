/**
 * Masks in PNG files: the numbers in the file are the labels, of a palette the indices. Libraries
 * for pictures give the palette's colors instead.
 */
import { promisify } from "node:util";
import { inflate } from "node:zlib";
import { refuseTooLarge } from "./decode.js";

/** What a mask may hold. */
export interface MaskLabels {
  readonly classes: number;
  readonly ignore: number | undefined;
}

export interface DecodedMask {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const GRAY = 0;
const PALETTE = 3;

const decompress = promisify<Buffer, { readonly maxOutputLength: number }, Buffer>(inflate);

interface Header {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
}

/**
 * The labels in a PNG file. Rejects, in words for the user, where it is not a PNG, is damaged, or
 * holds colors.
 */
export async function decodeMask(file: Uint8Array): Promise<DecodedMask> {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (!bytes.subarray(0, 8).equals(SIGNATURE)) {
    throw new Error("masks are PNG files: other formats change the numbers of classes");
  }
  const parts: Buffer[] = [];
  let header: Header | undefined;
  for (const { type, data } of chunksOf(bytes)) {
    if (type === "IHDR") header = readHeader(data);
    if (type === "IDAT") parts.push(data);
  }
  if (!header) throw new Error("it is damaged: it has no header");
  const { height, depth, width } = header;
  refuseTooLarge(width, height);
  const pitch = Math.ceil((width * depth) / 8);
  const most = height * (1 + pitch);
  const packed = await decompress(Buffer.concat(parts), { maxOutputLength: most }).catch(() => {
    throw new Error("it is damaged or truncated");
  });
  if (packed.length !== most) throw new Error("it is truncated");
  return { width, height, pixels: unpacked(unfiltered(packed, pitch, depth), header, pitch) };
}

/** Throws where a mask has a label that is not a class, with its place. */
export function checkMask({ pixels, width }: DecodedMask, { classes, ignore }: MaskLabels): void {
  const index = pixels.findIndex((label) => label >= classes && label !== ignore);
  if (index < 0) return;
  const place = `row ${Math.floor(index / width)}, column ${index % width}`;
  const other = ignore === undefined ? "" : `, or ${ignore} where a pixel is ignored`;
  throw new Error(
    `it has the label ${pixels[index]} in ${place}: labels are 0 to ${classes - 1}${other}`,
  );
}

function* chunksOf(bytes: Buffer): Generator<{ readonly type: string; readonly data: Buffer }> {
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString("latin1", at + 4, at + 8);
    if (at + 12 + length > bytes.length) throw new Error("it is truncated");
    yield { type, data: bytes.subarray(at + 8, at + 8 + length) };
    if (type === "IEND") return;
    at += 12 + length;
  }
}

function readHeader(data: Buffer): Header {
  if (data.length < 13) throw new Error("it is damaged: its header is too short");
  const [depth, color, interlacing] = [data[8]!, data[9]!, data[12]!];
  if (color !== GRAY && color !== PALETTE) {
    throw new Error(
      "it holds colors: a mask has one number a pixel, the class, in gray or with a palette",
    );
  }
  if (depth > 8) throw new Error("it has 16 bits a pixel: labels of masks have at most 8");
  if (interlacing !== 0) throw new Error("it is interlaced: save it without interlacing");
  return { width: data.readUInt32BE(0), height: data.readUInt32BE(4), depth };
}

/** The rows without their filters (PNG, 9.2), which predict each byte from those before it. */
function unfiltered(packed: Buffer, pitch: number, depth: number): Uint8Array {
  const rows = packed.length / (1 + pitch);
  const result = new Uint8Array(rows * pitch);
  // Below 8 bits a pixel, the byte before counts as well.
  const before = Math.max(1, depth / 8);
  for (let row = 0; row < rows; row++) {
    const filter = packed[row * (1 + pitch)]!;
    if (filter > 4) throw new Error("it is damaged: a row has an unknown filter");
    for (let x = 0; x < pitch; x++) {
      const at = row * pitch + x;
      const left = x >= before ? result[at - before]! : 0;
      const up = row > 0 ? result[at - pitch]! : 0;
      const corner = x >= before && row > 0 ? result[at - pitch - before]! : 0;
      result[at] = packed[row * (1 + pitch) + 1 + x]! + predicted(filter, left, up, corner);
    }
  }
  return result;
}

function predicted(filter: number, left: number, up: number, corner: number): number {
  switch (filter) {
    case 1:
      return left;
    case 2:
      return up;
    case 3:
      return Math.floor((left + up) / 2);
    case 4:
      return paeth(left, up, corner);
    default:
      return 0;
  }
}

function paeth(left: number, up: number, corner: number): number {
  const estimate = left + up - corner;
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(estimate - value)) as [
    number,
    number,
    number,
  ];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

/** A byte for each pixel. */
function unpacked(rows: Uint8Array, { width, height, depth }: Header, pitch: number): Uint8Array {
  if (depth === 8) return rows;
  const result = new Uint8Array(width * height);
  for (let index = 0; index < result.length; index++) {
    const bit = (index % width) * depth;
    const byte = rows[Math.floor(index / width) * pitch + (bit >> 3)]!;
    result[index] = (byte >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
  }
  return result;
}
