/** The checksum in the metadata of safetensors files that netc writes. */
import { murmur3, murmur3OfParts } from "./checksum.js";
import { WeightsError } from "./errors.js";

/** Where a file that netc wrote has its checksum. */
const CHECKSUM_PREFIX = '{"__metadata__":{"checksum":"';
const CHECKSUM_DIGITS = 16;
/** Holds its place while it is computed. */
export const NO_CHECKSUM = "0".repeat(CHECKSUM_DIGITS);

/** Writes the checksum of a file, whose data begin at `start`, to its place. */
export function writeChecksum(bytes: Uint8Array, start: number): void {
  bytes.set(new TextEncoder().encode(checksumOf(bytes, start)), 8 + CHECKSUM_PREFIX.length);
}

/**
 * Throws WeightsError where a file's content is not that of its checksum. Files without one, and
 * those that another program has rewritten, are taken as they are.
 */
export function assertUndamaged(bytes: Uint8Array, start: number): void {
  const from = 8 + CHECKSUM_PREFIX.length;
  // A copy: browsers decode no memory that threads share.
  const text = new TextDecoder().decode(bytes.slice(8, from + CHECKSUM_DIGITS));
  if (!text.startsWith(CHECKSUM_PREFIX)) return;
  const [stated, found] = [text.slice(CHECKSUM_PREFIX.length), checksumOf(bytes, start)];
  if (stated === found) return;
  throw new WeightsError(
    `this file is damaged: its checksum is ${found}, and it was written with ${stated}`,
  );
}

/** The same of a file in parts: its header, with zeros in place of the checksum, and its data. */
export function writeChecksumOfParts(header: Uint8Array, data: readonly Uint8Array[]): void {
  const text = textOf([murmur3(header), murmur3OfParts(data)]);
  header.set(new TextEncoder().encode(text), 8 + CHECKSUM_PREFIX.length);
}

/**
 * Of a file whose data begin at `start`: of its header, with zeros in place of it, and its data.
 */
function checksumOf(bytes: Uint8Array, start: number): string {
  const header = bytes.slice(0, start);
  header.fill(0x30, 8 + CHECKSUM_PREFIX.length, 8 + CHECKSUM_PREFIX.length + CHECKSUM_DIGITS);
  return textOf([murmur3(header), murmur3(bytes.subarray(start))]);
}

const textOf = (hashes: readonly number[]): string =>
  hashes.map((hash) => hash.toString(16).padStart(8, "0")).join("");
