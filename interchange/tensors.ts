/** Constants: made, read and rearranged. */
import { RefusedNode } from "./attributes.js";
import { sizeOf, type ForeignTensor } from "./foreign-graph.js";

export function floats(shape: readonly number[], values: ArrayLike<number>): ForeignTensor {
  const kept = values instanceof Float32Array ? values : Float32Array.from(values);
  return { kind: "float", shape, values: kept };
}

export function integers(shape: readonly number[], values: ArrayLike<number>): ForeignTensor {
  const kept = values instanceof Float64Array ? values : Float64Array.from(values);
  return { kind: "int", shape, values: kept };
}

/** `length` times the same number. */
export function filled(length: number, value: number): ForeignTensor {
  return floats([length], new Float32Array(length).fill(value));
}

/** The same elements in another shape. */
export function reshaped(tensor: ForeignTensor, shape: readonly number[]): ForeignTensor {
  if (sizeOf(shape) !== tensor.values.length) {
    throw new RefusedNode(`its weight [${tensor.shape.join(", ")}] is not [${shape.join(", ")}]`);
  }
  return { ...tensor, shape };
}

export function stridesOf(shape: readonly number[]): readonly number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  }
  return strides;
}

/** Axis i of the result is axis `axes[i]` of the tensor, as ONNX's `Transpose` has it. */
export function transposed(tensor: ForeignTensor, axes: readonly number[]): ForeignTensor {
  const shape = axes.map((axis) => tensor.shape[axis]!);
  const from = stridesOf(tensor.shape);
  const steps = axes.map((axis) => from[axis]!);
  const values = tensor.values.slice();
  const at = new Array<number>(axes.length).fill(0);
  let source = 0;
  for (let index = 0; index < values.length; index++) {
    values[index] = tensor.values[source]!;
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      source += steps[axis]!;
      if (++at[axis]! < shape[axis]!) break;
      source -= steps[axis]! * shape[axis]!;
      at[axis] = 0;
    }
  }
  return { ...tensor, shape, values };
}

/** Slices along an axis in another order: slice i of the result is slice `order[i]`. */
export function gathered(
  tensor: ForeignTensor,
  axis: number,
  order: ArrayLike<number>,
): ForeignTensor {
  const inner = sizeOf(tensor.shape.slice(axis + 1));
  const outer = sizeOf(tensor.shape.slice(0, axis));
  const size = tensor.shape[axis]!;
  const length = outer * order.length * inner;
  const values =
    tensor.values instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
  for (let block = 0; block < outer; block++) {
    for (let index = 0; index < order.length; index++) {
      const start = (block * size + order[index]!) * inner;
      const part = tensor.values.subarray(start, start + inner);
      values.set(part, (block * order.length + index) * inner);
    }
  }
  const shape = tensor.shape.map((each, index) => (index === axis ? order.length : each));
  return { ...tensor, shape, values };
}

/** Every element times a number. */
export function scaled(tensor: ForeignTensor, factor: number): ForeignTensor {
  return factor === 1 ? tensor : { ...tensor, values: tensor.values.map((each) => each * factor) };
}

/** The only number of a tensor that holds one, whatever its shape; undefined for others. */
export function scalarOf(tensor: ForeignTensor | undefined): number | undefined {
  return tensor?.values.length === 1 ? tensor.values[0] : undefined;
}

/** The order of axes that exchanges the last two, those of a matrix. */
export const turnedMatrices = (rank: number): readonly number[] => [
  ...Array.from({ length: rank - 2 }, (_, axis) => axis),
  rank - 1,
  rank - 2,
];
