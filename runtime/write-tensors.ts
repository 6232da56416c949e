/** Writes files of the safetensors format (tensor-file.ts). */
import { roundUp } from "../program/round-up.js";
import { NO_CHECKSUM, writeChecksum } from "./tensor-checksum.js";
import type { Tensor } from "./tensor-file.js";

/** Writes tensors, in order, as f32, with a checksum of the whole file in its metadata. */
export function writeTensors(
  tensors: readonly Tensor[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const others = Object.entries(metadata).filter(([name]) => name !== "checksum");
  const own = objectText([["checksum", NO_CHECKSUM], ...others]);
  const header: [name: string, entry: unknown][] = [];
  let end = 0;
  for (const { name, shape, values } of tensors) {
    const begin = end;
    end += values.length * 4;
    header.push([name, { dtype: "F32", shape, data_offsets: [begin, end] }]);
  }
  const entries = objectText(header).slice(1, -1);
  const all = `{"__metadata__":${own}${entries && `,${entries}`}}`;
  const text = new TextEncoder().encode(all);
  const headerLength = roundUp(text.length, 8);
  const bytes = new Uint8Array(8 + headerLength + end).fill(0x20, 8, 8 + headerLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.set(text, 8);
  let offset = 8 + headerLength;
  for (const { values } of tensors) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset);
    offset += values.byteLength;
  }
  writeChecksum(bytes, 8 + headerLength);
  return bytes;
}

/** A JSON object with its members in this order; an object of JavaScript puts numbers first. */
function objectText(members: readonly (readonly [name: string, value: unknown])[]): string {
  const texts = members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  return `{${texts.join(",")}}`;
}
