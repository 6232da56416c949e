/**
 * Files of torch.save since 1.6, and TorchScript archives: a zip of `NAME/data.pkl`, which
 * describes the tensors, and of `NAME/data/KEY`, the numbers of each storage.
 */
import { visible } from "../../program/visible.js";
import { WeightsError } from "../../runtime/errors.js";
import { decodeText, sourceOf, type ByteSource } from "../zip/byte-source.js";
import { readDirectory, type ZipRecord } from "../zip/read.js";
import type { Checkpoint } from "./checkpoint.js";
import { Cursor } from "./cursor.js";
import {
  isSavedWithin,
  readExportedWeights,
  sourceWithin,
  weightsRecord,
} from "./exported-program.js";
import { unpickle } from "./pickle.js";
import { malformed, sizeOf } from "./rebuild.js";
import { readStorage, readStored, zipIn } from "./records.js";
import { Name, STORAGES, StorageView, type Storage, type Value } from "./values.js";

/** Of a description: those of the largest networks have some megabytes. */
const LARGEST_PICKLE = 64 * 1024 * 1024;

export function readArchive(source: ByteSource): Checkpoint {
  const file = zipIn(source);
  const records = readDirectory(file);
  const exported = weightsRecord(records);
  if (exported && isSavedWithin(exported)) return readArchive(sourceWithin(file, exported));
  if (exported) return readExportedWeights(file, records, exported);
  const folder = folderOf([...records.keys()]);
  const isScript = records.has(`${folder}constants.pkl`);
  const recordOf = (path: string) => records.get(folder + path);
  const read = (record: ZipRecord) => readStored(file, record, LARGEST_PICKLE);
  refuseBigEndian(recordOf("byteorder"), read);
  const pickle = read(recordOf("data.pkl")!);
  const cursor = new Cursor(sourceOf(pickle), 0, pickle.length);
  const recordNamed = (key: string) => {
    const record = recordOf(`data/${key}`);
    if (!record) throw malformed(`no storage \`${visible(key)}\``);
    return record;
  };
  return {
    root: unpickle(cursor, (id) => storageOf(id, recordNamed), { isScript }),
    readStorage: ({ key }, target) => readStorage(file, recordNamed(key), target),
  };
}

/** The folder within the archive. Throws WeightsError where it is an archive of something else. */
function folderOf(names: readonly string[]): string {
  const pickle = names.find((name) => /^[^/]*\/data\.pkl$/.test(name));
  if (pickle !== undefined) return pickle.slice(0, -"data.pkl".length);
  const kind = names.some((name) => OF_EXPORT.test(name))
    ? "an archive of torch.export without its weights: save these with " +
      "`torch.save(program.state_dict, NEW_FILE)`, " +
      "and its network with `torch.onnx.export`, which netc imports"
    : "a zip file, but not one that torch.save wrote: it has no `data.pkl`";
  throw new WeightsError(`this is ${kind}`);
}

/** What archives of torch.export hold, in their older and newer form. */
const OF_EXPORT = /(^|\/)(serialized_exported_program\.json|archive_format|models\/model\.json)$/;

function refuseBigEndian(
  record: ZipRecord | undefined,
  read: (record: ZipRecord) => Uint8Array,
): void {
  if (!record || decodeText(read(record)) === "little") return;
  throw new WeightsError(
    "the numbers in this file are not little-endian: load it in PyTorch and save it again",
  );
}

/** `("storage", TYPE, KEY, DEVICE, LENGTH)`. */
function storageOf(id: readonly Value[], recordNamed: (key: string) => ZipRecord): StorageView {
  const storage = describedStorage(id);
  const { size } = recordNamed(storage.key);
  const bytes = storage.length * storage.type.width;
  if (bytes <= size) return new StorageView(storage, 0);
  throw new WeightsError(
    `this PyTorch file is damaged: storage \`${visible(storage.key)}\` takes ${bytes} bytes, and ` +
      `the file has ${size}`,
  );
}

/** The storage that a reference of a pickle describes. */
export function describedStorage([kind, type, key, , length]: readonly Value[]): Storage {
  if (kind !== "storage") throw malformed("a reference that is not to a storage");
  const name = type instanceof Name ? type.path.split(".").at(-1)! : "";
  const known = STORAGES.get(name);
  if (!known) throw malformed(`a storage of type \`${name}\``);
  if (typeof key !== "string" && typeof key !== "number") throw malformed("a storage of no name");
  // Storages without a type count bytes.
  return { key: String(key), type: known, length: sizeOf(length) };
}
