/** Writes files of the safetensors format in parts, so that no second copy is in memory. */
import { writeChecksumOfParts } from "./tensor-checksum.js";
import { bytesOf, headerOf, type TypedTensor } from "./write-tensors.js";

/** The header and each tensor's numbers, which are those of `serializeTensors` when joined. */
export function tensorParts(
  tensors: readonly TypedTensor[],
  metadata: Readonly<Record<string, string>> = {},
): readonly Uint8Array[] {
  const header = headerOf(tensors, metadata);
  const data = tensors.map(({ values }) => bytesOf(values));
  writeChecksumOfParts(header, data);
  return [header, ...data];
}
