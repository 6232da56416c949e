/**
 * Counts a protocol buffer's messages before it is decoded: an empty one takes two bytes of a file
 * and hundreds of memory.
 */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { ImportError } from "../error.js";

/** Networks have thousands of nodes and as many weights. */
const MOST_MESSAGES = 200_000;
/** Of the graph's fields these are lists of messages: nodes, weights, inputs, outputs, shapes. */
const GRAPH = 7;

/** Throws an ImportError for a file with more parts than any network has. */
export function requireModestFile(path: string, bytes: Uint8Array): void {
  let count = 0;
  try {
    eachField(bytes, (field, part) => {
      count++;
      if (field === GRAPH) eachField(part, (_, each) => (count += 1 + Math.min(1, each.length)));
    });
  } catch (error) {
    throw new ImportError(
      `${path} is not an ONNX model, or is truncated: ${(error as Error).message}`,
    );
  }
  if (count > MOST_MESSAGES) {
    throw new ImportError(`${path} has ${count} parts, and a network has at most ${MOST_MESSAGES}`);
  }
}

/** Calls `visit` with every field that has a length; nothing is copied. */
function eachField(bytes: Uint8Array, visit: (field: number, part: Uint8Array) => void): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (wire === WireType.LengthDelimited) visit(field, reader.bytes());
    else reader.skip(wire);
  }
}
