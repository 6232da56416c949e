/** Records of PyTorch's zip files, which are stored as they are: their places are enough. */
import { visible } from "../../program/visible.js";
import { WeightsError } from "../../runtime/errors.js";
import type { ByteSource } from "../zip/byte-source.js";
import { assertWhole, placeOf, readRecord, type ZipFile, type ZipRecord } from "../zip/read.js";

export const zipIn = (source: ByteSource): ZipFile => ({
  source,
  damaged: (why) => new WeightsError(`this PyTorch file is damaged: ${why}`),
});

/** Where a record's bytes begin. Throws WeightsError where they are compressed. */
export function storedAt(file: ZipFile, record: ZipRecord): number {
  assertStored(record);
  return placeOf(file, record);
}

/** A record that is not longer than `most` bytes. Throws WeightsError where it is compressed. */
export function readStored(file: ZipFile, record: ZipRecord, most: number): Uint8Array {
  assertStored(record);
  return readRecord(file, record, most);
}

function assertStored({ name, form }: ZipRecord): void {
  if (form === "stored") return;
  throw new WeightsError(
    `\`${visible(name)}\` in this file is compressed or encrypted, ` +
      "as torch.save does not write it",
  );
}

/** Fills `target` with the first numbers of a storage. */
export function readStorage(file: ZipFile, record: ZipRecord, target: Uint8Array): void {
  // First of all: only a stored record is no longer than the file, whatever size it says.
  const start = storedAt(file, record);
  const bytes = target.length === record.size ? target : new Uint8Array(record.size);
  file.source.readInto(bytes, start);
  assertWhole(file, record, bytes);
  if (bytes !== target) target.set(bytes.subarray(0, target.length));
}
