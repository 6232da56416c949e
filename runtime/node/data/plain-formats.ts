/** Picture formats that sharp does not read: BMP, and Netpbm's PPM and PGM. */
import { importPackage } from "../import-package.js";

/** Pixels as they come out of a file: rows from the top, channels interleaved. */
export interface PlainPicture {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly pixels: Uint8Array;
}

/** Throws where a picture is too large to decode. */
type CheckSize = (width: number, height: number) => void;

/** Undefined for other formats. Throws where the file is damaged or of a kind that is not read. */
export async function decodePlain(
  bytes: Uint8Array,
  checkSize: CheckSize,
): Promise<PlainPicture | undefined> {
  const magic = String.fromCharCode(bytes[0] ?? 0, bytes[1] ?? 0);
  if (magic === "BM") return decodeBmp(Buffer.from(bytes), checkSize);
  if (/^P[2356]$/.test(magic)) return decodeNetpbm(Buffer.from(bytes), checkSize);
  return undefined;
}

// BMP

const BMP_HEADER = 34;
/** Compressions of the header that are read: none, and bit fields of 32 bits a pixel. */
const READ_COMPRESSIONS: readonly number[] = [0, 3];
/** Bits of a pixel whose order of bytes is tested. */
const READ_BITS: readonly number[] = [1, 8, 24, 32];

async function decodeBmp(bytes: Buffer, checkSize: CheckSize): Promise<PlainPicture> {
  if (bytes.length < BMP_HEADER) throw new Error("premature end of the header");
  checkSize(bytes.readInt32LE(18), Math.abs(bytes.readInt32LE(22)));
  const [bits, compression] = [bytes.readUInt16LE(28), bytes.readUInt32LE(30)];
  if (!READ_COMPRESSIONS.includes(compression) || !READ_BITS.includes(bits)) {
    throw new Error(`BMP of ${bits} bits with compression ${compression} is not supported`);
  }
  const { decode } = (await importPackage("bmp-ts")) as typeof import("bmp-ts");
  const { width, height, data } = decode(bytes);
  const count = width * Math.abs(height);
  const pixels = new Uint8Array(3 * count);
  for (let pixel = 0; pixel < count; pixel++) {
    // Alpha, blue, green, red. Alpha is 0 in many files that are not transparent.
    pixels[3 * pixel] = data[4 * pixel + 3]!;
    pixels[3 * pixel + 1] = data[4 * pixel + 2]!;
    pixels[3 * pixel + 2] = data[4 * pixel + 1]!;
  }
  return { width, height: Math.abs(height), channels: 3, pixels };
}

// Netpbm: https://netpbm.sourceforge.net/doc/ppm.html

/** Digits, after white space and comments up to the line's end. */
const NUMBER = /(?:\s|#[^\n]*\n)*(\d+)/y;
const LARGEST_VALUE = 65_535;

function decodeNetpbm(bytes: Buffer, checkSize: CheckSize): PlainPicture {
  const kind = bytes.toString("latin1", 1, 2);
  const channels = kind === "2" || kind === "5" ? 1 : 3;
  const isText = kind === "2" || kind === "3";
  // Latin-1: a character is a byte.
  const text = bytes.toString("latin1", 0, isText ? bytes.length : 4096);
  NUMBER.lastIndex = 2;
  const next = () => {
    const found = NUMBER.exec(text);
    if (!found) throw new Error("premature end of the header or of the pixels");
    return Number(found[1]);
  };
  const [width, height, maximum] = [next(), next(), next()];
  if (width < 1 || height < 1 || maximum < 1 || maximum > LARGEST_VALUE) {
    throw new Error(`a header of ${width}x${height} pixels up to ${maximum}`);
  }
  checkSize(width, height);
  const count = width * height * channels;
  const read = isText ? next : binaryReader(bytes, NUMBER.lastIndex + 1, { count, maximum });
  const pixels = Uint8Array.from({ length: count }, () => {
    return Math.round((255 * Math.min(maximum, read())) / maximum);
  });
  return { width, height, channels, pixels };
}

/** Values of one byte, or of two, the larger first, where the maximum needs them. */
function binaryReader(
  bytes: Buffer,
  start: number,
  { count, maximum }: { readonly count: number; readonly maximum: number },
): () => number {
  const size = maximum < 256 ? 1 : 2;
  if (bytes.length < start + size * count) throw new Error("premature end of the pixels");
  let at = start - size;
  return () => {
    at += size;
    return size === 1 ? bytes[at]! : bytes.readUInt16BE(at);
  };
}
