/** Writes files of the safetensors format (tensor-file.ts). */
import { roundUp } from "../program/round-up.js";
import { NO_CHECKSUM, writeChecksum } from "./tensor-checksum.js";
import type { Tensor } from "./tensor-file.js";

/** A tensor whose numbers are of any type, F32 unless said. */
export interface TypedTensor extends Pick<Tensor, "name" | "shape"> {
  readonly dtype?: string;
  readonly values: ArrayBufferView;
}

/** Writes tensors, in order, as f32, with a checksum of the whole file in its metadata. */
export function writeTensors(
  tensors: readonly Tensor[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const header = headerOf(tensors, metadata);
  const data = tensors.reduce((sum, { values }) => sum + values.byteLength, 0);
  const bytes = new Uint8Array(header.length + data);
  bytes.set(header);
  let offset = header.length;
  for (const { values } of tensors) {
    bytes.set(bytesOf(values), offset);
    offset += values.byteLength;
  }
  writeChecksum(bytes, header.length);
  return bytes;
}

/** The numbers of a tensor as they lie in memory. */
export const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** What a file begins with, up to its data, with zeros in place of the checksum. */
export function headerOf(
  tensors: readonly TypedTensor[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const others = Object.entries(metadata).filter(([name]) => name !== "checksum");
  const own = objectText([["checksum", NO_CHECKSUM], ...others]);
  const header: [name: string, entry: unknown][] = [];
  let end = 0;
  for (const { name, shape, values, dtype = "F32" } of tensors) {
    const begin = end;
    end += values.byteLength;
    header.push([name, { dtype, shape, data_offsets: [begin, end] }]);
  }
  const entries = objectText(header).slice(1, -1);
  const all = `{"__metadata__":${own}${entries && `,${entries}`}}`;
  const text = new TextEncoder().encode(all);
  const length = roundUp(text.length, 8);
  const bytes = new Uint8Array(8 + length).fill(0x20, 8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(text, 8);
  return bytes;
}

/** A JSON object with its members in this order; an object of JavaScript puts numbers first. */
function objectText(members: readonly (readonly [name: string, value: unknown])[]): string {
  const texts = members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  return `{${texts.join(",")}}`;
}
