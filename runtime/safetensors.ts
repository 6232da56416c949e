/**
 * Reading and writing safetensors files without a network. The format is in separate files, which
 * networks import with the first file that they load or save: bundlers keep it apart only if no
 * other file of the runtime exports it.
 */
import { isBuffer, viewOf } from "./copies.js";
import { describe } from "./describe.js";
import { InputError } from "./errors.js";
import { explained, RECOGNIZED_BYTES } from "./foreign-files.js";
import { readSmallWeights, smallShapes } from "./small-weights.js";
import {
  checkMetadata,
  copied,
  isSmall,
  MAXIMUM_HEADER,
  readTensors,
  shapesOf,
  splitFile,
  type Tensor,
  type TensorFile,
} from "./tensor-file.js";
import { writeTensors } from "./write-tensors.js";

export type { Tensor, TensorFile } from "./tensor-file.js";

/** Writes tensors, in order, as f32, with a checksum of the whole file in its metadata. */
export function serializeTensors(
  tensors: readonly Tensor[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  return writeTensors(tensors, metadata);
}

/**
 * Reads a file of F32, F64, F16, BF16 or I64 tensors (PyTorch counts batches in those), or one that
 * `netc weights` made small; all come out as f32. Throws WeightsError with the reason for a
 * truncated or foreign file.
 */
export function parseTensors(bytes: Uint8Array | ArrayBuffer): TensorFile {
  if (!ArrayBuffer.isView(bytes) && !isBuffer(bytes)) {
    throw new InputError(
      "weights must be the bytes of a file, a Uint8Array or an ArrayBuffer, " +
        `not ${describe(bytes)}`,
    );
  }
  const plain = viewOf(bytes);
  return (isSmall(headerOf(plain)) ? readSmallWeights : readTensors)(plain, copied);
}

/** The metadata of a file, from its header alone; `read` as for `readShapes`. */
export function readMetadata(
  read: (start: number, length: number) => Uint8Array,
): Readonly<Record<string, string>> {
  return checkMetadata(readHeader(read).header["__metadata__"]);
}

/**
 * The shapes of a file's tensors, by name, from its header alone. `read` gives bytes of the file,
 * of `size` bytes. Throws WeightsError as `parseTensors` does.
 */
export function readShapes(
  read: (start: number, length: number) => Uint8Array,
  size: number,
): ReadonlyMap<string, readonly number[]> {
  const { header, length } = readHeader(read);
  return (isSmall(header) ? smallShapes : shapesOf)(header, size - 8 - length);
}

function readHeader(read: (start: number, length: number) => Uint8Array) {
  const start = read(0, 8);
  const length =
    start.length < 8 ? 0 : Number(new DataView(start.slice().buffer).getBigUint64(0, true));
  // Of a foreign file not even that much: its first bytes may mean anything.
  const head = read(0, length > MAXIMUM_HEADER ? RECOGNIZED_BYTES : 8 + length);
  return { header: headerOf(head.slice()), length };
}

function headerOf(bytes: Uint8Array): Record<string, unknown> {
  try {
    return splitFile(bytes).header;
  } catch (error) {
    throw explained(bytes, error);
  }
}
