/**
 * Groups and datasets of an HDF5 file. jsfive reads its structure; numbers that lie in one piece,
 * as Keras writes them, are read here from the bytes, because jsfive makes an element at a time.
 */
import { Dataset, File, Group, type DataObjects } from "jsfive";
import { ImportError } from "../error.js";
import { sizeOf, type ForeignTensor } from "../foreign-graph.js";
import { floatOf } from "../../program/half.js";
import { floats } from "../tensors.js";

export interface Hdf5Dataset {
  readonly shape: readonly number[];
  /** Throws an ImportError where the file does not hold the numbers that it says. */
  read(): ForeignTensor;
}

export interface Hdf5Group {
  readonly keys: readonly string[];
  has(name: string): boolean;
  /** A group within; undefined where there is none of that name. */
  group(path: string): Hdf5Group | undefined;
  dataset(path: string): Hdf5Dataset | undefined;
  text(attribute: string): string | undefined;
  texts(attribute: string): readonly string[];
}

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

export const isHdf5 = (bytes: Uint8Array) =>
  SIGNATURE.every((byte, index) => bytes[index] === byte);

/** Throws an ImportError for a file that is not HDF5. */
export function openHdf5(bytes: Uint8Array): Hdf5Group {
  const isWhole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
  // `slice` of a Buffer is not a copy.
  const whole = isWhole ? bytes : new Uint8Array(bytes);
  const file = new Source(whole.buffer as ArrayBuffer);
  return file.root();
}

class Source {
  private readonly view: DataView;
  /** What attributes may still take: elements, and bytes of texts. */
  private allowance: number;

  constructor(private readonly buffer: ArrayBuffer) {
    this.view = new DataView(buffer);
    this.allowance = MOST_EXPANSION * buffer.byteLength;
  }

  root(): Hdf5Group {
    return this.wrapped(guarded(() => new File(this.buffer)));
  }

  private wrapped(group: Group): Hdf5Group {
    const keys = guarded(() => [...group.keys]);
    const attributes = guarded(() => {
      this.watch(group._dataobjects);
      return group.attrs;
    });
    const found = (path: string) => {
      const [first = ""] = path.split("/");
      return keys.includes(first) ? guarded(() => group.get(path)) : null;
    };
    return {
      keys,
      has: (name) => keys.includes(name),
      group: (path) => {
        const inner = found(path);
        return inner instanceof Group ? this.wrapped(inner) : undefined;
      },
      dataset: (path) => {
        const inner = found(path);
        return inner instanceof Dataset ? this.dataset(inner, path) : undefined;
      },
      text: (name) => textOf(attributes[name]),
      texts: (name) => textsOf(attributes, name),
    };
  }

  /**
   * jsfive makes room for as many elements as an attribute says it has, and decodes a text again
   * for each element that refers to it. Throws where that is more than the file explains.
   */
  private watch(objects: DataObjects): void {
    const readElements = objects._attr_value.bind(objects);
    objects._attr_value = (type, bytes, count, offset) => {
      this.take(count);
      return readElements(type, bytes, count, offset);
    };
    const readText = objects._vlen_size_and_data.bind(objects);
    objects._vlen_size_and_data = (bytes, offset) => {
      const [length, data] = readText(bytes, offset);
      this.take(length);
      return [length, data];
    };
  }

  private take(count: number): void {
    this.allowance -= count;
    if (!(this.allowance >= 0)) throw broken("its attributes are larger than the file");
  }

  private dataset(dataset: Dataset, path: string): Hdf5Dataset {
    const { shape, dtype } = guarded(() => ({
      shape: dataset.shape.map(Number),
      dtype: dataset.dtype,
    }));
    const type = typeof dtype === "string" ? TYPES[dtype] : undefined;
    const count = sizeOf(shape);
    if (!type) throw broken(`\`${path}\` holds no numbers, but ${JSON.stringify(dtype)}`);
    if (!(count * type.width <= MOST_EXPANSION * this.buffer.byteLength)) {
      throw broken(`\`${path}\` has [${shape.join(", ")}] numbers, more than fit into the file`);
    }
    return { shape, read: () => floats(shape, this.numbers(dataset, count, { type, path })) };
  }

  private numbers(dataset: Dataset, count: number, { type, path }: Numbers): Float32Array {
    const start = guarded(() => this.contiguousStart(dataset));
    if (start === undefined) return this.chunked(dataset, count, path);
    if (count > 0 && !(start + count * type.width <= this.buffer.byteLength)) {
      throw broken(`the numbers of \`${path}\` reach beyond its end`);
    }
    if (type.isFloat32 && start % 4 === 0) return new Float32Array(this.buffer, start, count);
    const values = new Float32Array(count);
    for (let index = 0; index < count; index++) {
      values[index] = type.read(this.view, start + index * type.width);
    }
    return values;
  }

  /** Undefined where the dataset lies in chunks. */
  private contiguousStart({ _dataobjects: objects }: Dataset): number | undefined {
    const at = objects.find_msg_type(DATA_LAYOUT)[0]?.get("offset_to_message");
    if (at === undefined) throw broken("a dataset does not say where its numbers are");
    const version = this.view.getUint8(at);
    const isOld = version < 3;
    const layout = this.view.getUint8(at + (isOld ? 2 : 1));
    if (layout === COMPACT && !isOld) return at + 4;
    if (layout !== CONTIGUOUS) return undefined;
    return Number(this.view.getBigUint64(at + (isOld ? 8 : 2), true));
  }

  private chunked(dataset: Dataset, count: number, path: string): Float32Array {
    const values = guarded(() => {
      const chunk = sizeOf(dataset._dataobjects.chunks ?? [Infinity]);
      if (!(chunk <= MOST_EXPANSION * this.buffer.byteLength))
        throw broken("its chunks are too large");
      return dataset.value;
    });
    if (values.length !== count) throw broken(`\`${path}\` is truncated`);
    return Float32Array.from(values, Number);
  }
}

/** The message of an object header that says where data are, and two of its layouts. */
const DATA_LAYOUT = 8;
const COMPACT = 0;
const CONTIGUOUS = 1;
/** Compressed data may be longer than the file, up to this. */
const MOST_EXPANSION = 4;

interface NumberType {
  readonly width: number;
  readonly isFloat32?: boolean;
  read(view: DataView, at: number): number;
}

interface Numbers {
  readonly type: NumberType;
  readonly path: string;
}

const TYPES: Readonly<Record<string, NumberType>> = {
  "<f2": { width: 2, read: (view, at) => floatOf(view.getUint16(at, true)) },
  "<f4": { width: 4, isFloat32: true, read: (view, at) => view.getFloat32(at, true) },
  "<f8": { width: 8, read: (view, at) => view.getFloat64(at, true) },
  ">f4": { width: 4, read: (view, at) => view.getFloat32(at, false) },
  "<i4": { width: 4, read: (view, at) => view.getInt32(at, true) },
  "<i8": { width: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  "<u8": { width: 8, read: (view, at) => Number(view.getBigUint64(at, true)) },
};

function textOf(value: unknown): string | undefined {
  const only = Array.isArray(value) && value.length === 1 ? (value as unknown[])[0] : value;
  return typeof only === "string" ? only.replace(/\0+$/, "") : undefined;
}

/** Keras cuts lists that do not fit into one attribute into `NAME0`, `NAME1`, and so on. */
function textsOf(attributes: Readonly<Record<string, unknown>>, name: string): readonly string[] {
  const whole = attributes[name];
  if (whole !== undefined) return listOf(whole);
  const parts: string[] = [];
  for (let part = 0; attributes[`${name}${part}`] !== undefined; part++) {
    parts.push(...listOf(attributes[`${name}${part}`]));
  }
  return parts;
}

function listOf(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.flatMap((each) => textOf(each) ?? []);
}

/** jsfive throws strings, and reads beyond the ends of damaged files. */
function guarded<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof ImportError) throw error;
    throw broken(error instanceof Error ? error.message : String(error));
  }
}

const broken = (why: string) => new ImportError(`this HDF5 file cannot be read: ${why}`);
