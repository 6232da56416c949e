/**
 * Archives of torch.export: the weights of the program, under the names of its `state_dict`. Since
 * PyTorch 2.9 each is a record of numbers that `model_weights_config.json` describes; before, all
 * are a file of torch.save within the archive. The program itself is not read.
 */
import { visible } from "../../program/visible.js";
import { WeightsError } from "../../runtime/errors.js";
import type { ByteSource } from "../zip/byte-source.js";
import type { ZipFile, ZipRecord } from "../zip/read.js";
import type { Checkpoint } from "./checkpoint.js";
import { malformed } from "./rebuild.js";
import { readStorage, readStored, storedAt } from "./records.js";
import { Dictionary, TensorView, TYPES, type Storage, type StoredType } from "./values.js";

const CONFIG = /^(.*)data\/weights\/\w+_weights_config\.json$/;
const SAVED = /(^|\/)serialized_state_dict\.(pt|json)$/;
const LARGEST_CONFIG = 16 * 1024 * 1024;

/** The record that describes the weights, where an archive is of torch.export. */
export function weightsRecord(records: ReadonlyMap<string, ZipRecord>): ZipRecord | undefined {
  return [...records.values()].find(({ name }) => CONFIG.test(name) || SAVED.test(name));
}

/** Whether the weights are a file of torch.save within the archive. */
export const isSavedWithin = ({ name }: ZipRecord) => SAVED.test(name);

/** A record that is not compressed, as a source of bytes. */
export function sourceWithin(file: ZipFile, record: ZipRecord): ByteSource {
  const start = storedAt(file, record);
  const { size } = record;
  return { size, readInto: (target, at) => file.source.readInto(target, start + at) };
}

/** Throws WeightsError for a description that is not of these records. */
export function readExportedWeights(
  file: ZipFile,
  records: ReadonlyMap<string, ZipRecord>,
  described: ZipRecord,
): Checkpoint {
  const folder = described.name.slice(0, described.name.lastIndexOf("/") + 1);
  const recordOf = ({ key }: Pick<Storage, "key">) => {
    const record = records.get(folder + key);
    return record ?? fail(`no record \`${visible(key)}\``);
  };
  const root = new Dictionary();
  for (const [name, value] of Object.entries(configOf(file, described))) {
    root.entries.set(name, viewOf(name, value, recordOf));
  }
  return {
    root,
    readStorage: (storage, target) => readStorage(file, recordOf(storage), target),
  };
}

const fail = (what: string): never => {
  throw malformed(what);
};

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function configOf(file: ZipFile, record: ZipRecord): Json {
  const bytes = readStored(file, record, LARGEST_CONFIG);
  try {
    const json: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (isObject(json) && isObject(json["config"])) return json["config"];
  } catch {
    // Said below.
  }
  return fail(`\`${visible(record.name)}\` does not describe weights`);
}

/** By the numbers of `ScalarType` in torch/_export/serde/schema.py. */
const DTYPES: ReadonlyMap<unknown, StoredType> = new Map(
  [
    ...(["", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"] as const),
    ...(["", "complex64", "complex128", "bool", "bfloat16"] as const),
  ].flatMap((name, number): (readonly [number, StoredType])[] => {
    const type = TYPES.get(name);
    return type ? [[number, type]] : [];
  }),
);

function viewOf(
  name: string,
  value: unknown,
  recordOf: (storage: Pick<Storage, "key">) => ZipRecord,
): TensorView {
  const { path_name: key, tensor_meta: meta, use_pickle: isPickled } = isObject(value) ? value : {};
  if (isPickled === true) {
    throw new WeightsError(
      `\`${visible(name)}\` is a tensor of another class, saved as a pickle: ` +
        "save the weights with `torch.save(program.state_dict, NEW_FILE)`",
    );
  }
  if (typeof key !== "string" || !isObject(meta)) return fail(`the weight \`${visible(name)}\``);
  const type = DTYPES.get(meta["dtype"]);
  if (!type) return fail(`the type ${String(meta["dtype"])} of \`${visible(name)}\``);
  const shape = sizesOf(meta["sizes"], name);
  const strides = sizesOf(meta["strides"], name);
  const [offset] = sizesOf([meta["storage_offset"]], name);
  const length = Math.floor(recordOf({ key }).size / type.width);
  const steps = shape.reduce((sum, size, axis) => sum + (size - 1) * (strides[axis] ?? 0), 0);
  const isInside = shape.includes(0) || offset! + steps < length;
  if (shape.length !== strides.length || !isInside) {
    return fail(`\`${visible(name)}\`, which is larger than its record`);
  }
  return new TensorView({ key, type, length }, offset!, shape, strides);
}

function sizesOf(list: unknown, name: string): readonly number[] {
  const sizes = Array.isArray(list)
    ? list.map((each: unknown) => (isObject(each) ? each["as_int"] : undefined))
    : [undefined];
  if (sizes.every((size): size is number => Number.isSafeInteger(size) && Number(size) >= 0)) {
    return sizes;
  }
  return fail(`the sizes of \`${visible(name)}\``);
}
