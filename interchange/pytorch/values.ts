/**
 * What a pickle of PyTorch can hold: plain data, and the storages and tensors that it describes.
 */

/** A type of numbers in a storage. */
export interface StoredType {
  /** As PyTorch calls it: `float32`. */
  readonly name: string;
  /** Bytes of a number. */
  readonly width: number;
}

const type = (name: string, width: number): StoredType => ({ name, width });

/** By PyTorch's names of the storages of old, from which it still derives what it writes. */
export const STORAGES: ReadonlyMap<string, StoredType> = new Map([
  ["FloatStorage", type("float32", 4)],
  ["DoubleStorage", type("float64", 8)],
  ["HalfStorage", type("float16", 2)],
  ["BFloat16Storage", type("bfloat16", 2)],
  ["LongStorage", type("int64", 8)],
  ["IntStorage", type("int32", 4)],
  ["ShortStorage", type("int16", 2)],
  ["CharStorage", type("int8", 1)],
  ["ByteStorage", type("uint8", 1)],
  ["BoolStorage", type("bool", 1)],
  ["ComplexFloatStorage", type("complex64", 8)],
  ["ComplexDoubleStorage", type("complex128", 16)],
  ["QInt8Storage", type("qint8", 1)],
  ["QUInt8Storage", type("quint8", 1)],
  ["QInt32Storage", type("qint32", 4)],
  ["UntypedStorage", type("uint8", 1)],
]);

/** By the names of dtypes. */
export const TYPES: ReadonlyMap<string, StoredType> = new Map(
  [...STORAGES.values()].map((each) => [each.name, each]),
);

/** Numbers in a file, of which tensors are views. */
export interface Storage {
  /** As the file calls it. */
  readonly key: string;
  readonly type: StoredType;
  /** Numbers in it. */
  readonly length: number;
}

/** A view of a storage. Offset and strides count numbers. */
export class TensorView {
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

/** A tuple of Python; a list is an array. */
export class Tuple {
  constructor(readonly items: readonly Value[]) {}
}

/**
 * A name of a type or function on the list of those that weights may use. Nothing is ever called.
 */
export class Name {
  constructor(readonly path: string) {}
}

/** Something on the list that has no use for weights, such as a device. */
export class Opaque {
  constructor(readonly what: string) {}
}

/** A dictionary. The same class is used for OrderedDict, whose order any Map keeps. */
export class Dictionary {
  readonly entries = new Map<string | number | boolean, Value>();
}

/** A module of a TorchScript archive: its parameters, buffers and modules by their names. */
export class ScriptModule extends Dictionary {}

export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Value[]
  | Tuple
  | Name
  | Opaque
  | Dictionary
  | StorageView
  | TensorView;

/** A storage, or in files from before 1.6 a part of one. */
export class StorageView {
  constructor(
    readonly storage: Storage,
    /** The first number of the part. */
    readonly offset: number,
  ) {}
}
