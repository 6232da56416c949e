/** ONNX's tensors as constants: raw bytes, typed fields and external data. */
import { floatsOf } from "../../program/half.js";
import { ImportError } from "../error.js";
import type { ForeignTensor } from "../foreign-graph.js";
import type { ImportSource } from "../importer.js";
import { TensorProto_DataLocation, type TensorProto } from "./onnx_pb.js";

interface DataType {
  readonly name: string;
  readonly kind: ForeignTensor["kind"];
  /** Of an element in `raw_data`. */
  readonly bytes: number;
  readonly read: (view: DataView, offset: number) => number;
}

const halves = (bits: number) => floatsOf(Uint16Array.of(bits))[0]!;
const wide = new DataView(new ArrayBuffer(4));

function bfloat(bits: number): number {
  wide.setUint32(0, (bits << 16) >>> 0);
  return wide.getFloat32(0);
}

/** By their number in `TensorProto.DataType`. */
const DATA_TYPES: ReadonlyMap<number, DataType> = new Map<number, DataType>([
  [1, { name: "float", kind: "float", bytes: 4, read: (v, at) => v.getFloat32(at, true) }],
  [2, { name: "uint8", kind: "int", bytes: 1, read: (v, at) => v.getUint8(at) }],
  [3, { name: "int8", kind: "int", bytes: 1, read: (v, at) => v.getInt8(at) }],
  [4, { name: "uint16", kind: "int", bytes: 2, read: (v, at) => v.getUint16(at, true) }],
  [5, { name: "int16", kind: "int", bytes: 2, read: (v, at) => v.getInt16(at, true) }],
  [6, { name: "int32", kind: "int", bytes: 4, read: (v, at) => v.getInt32(at, true) }],
  [7, { name: "int64", kind: "int", bytes: 8, read: (v, at) => Number(v.getBigInt64(at, true)) }],
  [9, { name: "bool", kind: "bool", bytes: 1, read: (v, at) => v.getUint8(at) }],
  [
    10,
    { name: "float16", kind: "float", bytes: 2, read: (v, at) => halves(v.getUint16(at, true)) },
  ],
  [11, { name: "double", kind: "float", bytes: 8, read: (v, at) => v.getFloat64(at, true) }],
  [12, { name: "uint32", kind: "int", bytes: 4, read: (v, at) => v.getUint32(at, true) }],
  [
    13,
    { name: "uint64", kind: "int", bytes: 8, read: (v, at) => Number(v.getBigUint64(at, true)) },
  ],
  [
    16,
    { name: "bfloat16", kind: "float", bytes: 2, read: (v, at) => bfloat(v.getUint16(at, true)) },
  ],
]);

/**
 * Rejects with an ImportError for a type that netc does not read, and for data that does not fit.
 */
export async function readTensor(
  tensor: TensorProto,
  { sibling }: Pick<ImportSource, "sibling">,
): Promise<ForeignTensor> {
  const title = `the tensor \`${tensor.name}\``;
  const type = DATA_TYPES.get(tensor.dataType);
  if (!type) {
    throw new ImportError(`${title} has data type ${tensor.dataType}, which netc does not read`);
  }
  const { shape, count } = sizesOf(tensor, title);
  if (tensor.segment) throw new ImportError(`${title} comes in segments, which netc does not read`);
  if (tensor.dataLocation === TensorProto_DataLocation.EXTERNAL) {
    const bytes = await externalBytes(tensor, { title, length: count * type.bytes, sibling });
    return fromBytes(bytes, { type, shape, count, title });
  }
  if (tensor.rawData.length > 0) {
    return fromBytes(tensor.rawData, { type, shape, count, title });
  }
  return fromFields(tensor, { type, shape, count, title });
}

interface Described {
  readonly type: DataType;
  readonly shape: readonly number[];
  readonly count: number;
  readonly title: string;
}

function sizesOf({ dims }: TensorProto, title: string) {
  const shape = dims.map(Number);
  const count = shape.reduce((a, b) => a * b, 1);
  if (shape.every((size) => size >= 0) && Number.isSafeInteger(count)) return { shape, count };
  throw new ImportError(`${title} is [${shape.join(", ")}], which is not a shape`);
}

/** Checked before anything is allocated. */
function requireCount(has: number, { count, shape, title }: Described, unit: string): void {
  if (has === count) return;
  throw new ImportError(
    `${title} is [${shape.join(", ")}] and needs ${count} ${unit}, but has ${has}`,
  );
}

function fromBytes(bytes: Uint8Array, described: Described): ForeignTensor {
  const { type, shape, count } = described;
  requireCount(bytes.length / type.bytes, described, "elements");
  const values = type.kind === "float" ? new Float32Array(count) : new Float64Array(count);
  if (type.name === "float" && isLittleEndian) {
    new Uint8Array(values.buffer).set(bytes);
  } else {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let index = 0; index < count; index++) values[index] = type.read(view, index * type.bytes);
  }
  return { kind: type.kind, shape, values };
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function fromFields(tensor: TensorProto, described: Described): ForeignTensor {
  const { type, shape } = described;
  const fields = fieldsOf(tensor, type);
  requireCount(fields.length, described, "elements");
  const values = type.kind === "float" ? Float32Array.from(fields) : Float64Array.from(fields);
  return { kind: type.kind, shape, values };
}

function fieldsOf(tensor: TensorProto, { name }: DataType): readonly number[] {
  if (name === "float") return tensor.floatData;
  if (name === "double") return tensor.doubleData;
  if (name === "int64") return tensor.int64Data.map(Number);
  if (name === "uint32" || name === "uint64") return tensor.uint64Data.map(Number);
  if (name === "float16") return tensor.int32Data.map((bits) => halves(bits & 0xffff));
  if (name === "bfloat16") return tensor.int32Data.map((bits) => bfloat(bits & 0xffff));
  return tensor.int32Data;
}

async function externalBytes(
  { externalData }: TensorProto,
  { title, length, sibling }: { title: string; length: number } & Pick<ImportSource, "sibling">,
): Promise<Uint8Array> {
  const entries = new Map(externalData.map(({ key, value }) => [key, value]));
  const location = entries.get("location");
  if (location === undefined) throw new ImportError(`${title} names no file of its data`);
  const offset = Number(entries.get("offset") ?? 0);
  const said = Number(entries.get("length") ?? length);
  if (!Number.isSafeInteger(offset) || offset < 0 || said !== length) {
    throw new ImportError(
      `${title} needs ${length} bytes, and says it has ${said} from byte ${offset} of ${location}`,
    );
  }
  return sibling(location, { offset, length });
}
