/**
 * The numbers of tensors, as f32 and in the order of their axes, from the storages that hold them.
 */
import { floatsOf } from "../../program/half.js";
import { WeightsError } from "../../runtime/errors.js";
import type { Checkpoint } from "./checkpoint.js";
import type { Storage, StoredType, TensorView } from "./values.js";

/** Numbers of a tensor. */
export const countOf = ({ shape }: Pick<TensorView, "shape">): number =>
  shape.reduce((product, size) => product * size, 1);

/** Types that weights can have. */
export const isReadable = ({ name }: StoredType): boolean => name in DECODERS;

/** Reads each storage once, for all tensors that are views of it. */
export function readNumbers(
  checkpoint: Checkpoint,
  tensors: ReadonlyMap<string, TensorView>,
): ReadonlyMap<string, Float32Array> {
  const byStorage = new Map<string, [name: string, view: TensorView][]>();
  for (const [name, view] of tensors) {
    // Two views of other types read the bytes differently.
    const key = `${view.storage.type.name} ${view.storage.key}`;
    if (!byStorage.has(key)) byStorage.set(key, []);
    byStorage.get(key)!.push([name, view]);
  }
  const values = new Map<string, Float32Array>();
  for (const views of byStorage.values()) {
    const numbers = readStorage(checkpoint, views[0]![1].storage);
    for (const [name, view] of views) {
      const isOnlyOne = views.length === 1;
      values.set(name, gather(view, numbers, isOnlyOne));
    }
  }
  return new Map([...tensors.keys()].map((name) => [name, values.get(name)!]));
}

function readStorage(checkpoint: Checkpoint, storage: Storage): Float32Array {
  const { type, length } = storage;
  const decode = DECODERS[type.name];
  if (!decode) throw new WeightsError(`a tensor of type ${type.name} cannot be weights`);
  const bytes = new Uint8Array(length * type.width);
  checkpoint.readStorage(storage, bytes);
  return decode(bytes.buffer);
}

const DECODERS: Readonly<Record<string, (buffer: ArrayBuffer) => Float32Array>> = {
  float32: (buffer) => new Float32Array(buffer),
  float64: (buffer) => Float32Array.from(new Float64Array(buffer)),
  float16: (buffer) => floatsOf(new Uint16Array(buffer)),
  bfloat16: (buffer) => {
    const words = Uint32Array.from(new Uint16Array(buffer), (half) => half << 16);
    return new Float32Array(words.buffer);
  },
  int64: (buffer) => Float32Array.from(new BigInt64Array(buffer), Number),
  int32: (buffer) => Float32Array.from(new Int32Array(buffer)),
  int16: (buffer) => Float32Array.from(new Int16Array(buffer)),
  int8: (buffer) => Float32Array.from(new Int8Array(buffer)),
  uint8: (buffer) => Float32Array.from(new Uint8Array(buffer)),
  bool: (buffer) => Float32Array.from(new Uint8Array(buffer)),
};

/** The numbers of a view, one after the other. With `isOnlyOne` they may be the storage's own. */
function gather(view: TensorView, numbers: Float32Array, isOnlyOne: boolean): Float32Array {
  const count = countOf(view);
  const { offset } = view;
  if (count === 0 || isContiguous(view)) {
    const part = numbers.subarray(offset, offset + count);
    return isOnlyOne ? part : part.slice();
  }
  const gathered = new Float32Array(count);
  copyAxis(view, 0, offset, { numbers, gathered, at: 0 });
  return gathered;
}

export function isContiguous({ shape, strides }: TensorView): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

interface Copying {
  readonly numbers: Float32Array;
  readonly gathered: Float32Array;
  /** How many have been gathered. */
  at: number;
}

function copyAxis(
  { shape, strides }: TensorView,
  axis: number,
  start: number,
  copying: Copying,
): void {
  const [size, stride] = [shape[axis]!, strides[axis]!];
  const isLast = axis === shape.length - 1;
  for (let index = 0, from = start; index < size; index++, from += stride) {
    if (isLast) copying.gathered[copying.at++] = copying.numbers[from]!;
    else copyAxis({ shape, strides } as TensorView, axis + 1, from, copying);
  }
}
