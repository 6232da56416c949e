/** Writes files of the safetensors format in parts, so that no second copy is in memory. */
import { writeChecksumOfParts } from "./tensor-checksum.js";
import type { Tensor } from "./tensor-file.js";
import { bytesOf, headerOf } from "./write-tensors.js";

/** The header and each tensor's numbers, which are those of `serializeTensors` when joined. */
export function tensorParts(
  tensors: readonly Tensor[],
  metadata: Readonly<Record<string, string>> = {},
): readonly Uint8Array[] {
  const header = headerOf(tensors, metadata);
  const data = tensors.map(({ values }) => bytesOf(values));
  writeChecksumOfParts(header, data);
  return [header, ...data];
}
