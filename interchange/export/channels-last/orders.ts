/** From PyTorch's orders of axes to those of Keras. */
import { floats, gathered, transposed } from "../../tensors.js";
import type { NamedTensor } from "../layer-call.js";
import type { ExportTensor } from "../model.js";
import type { ColumnsLast } from "./keras-writer.js";

/** Axis i of the result is axis `axes[i]` of the tensor. */
export function turned({ shape, values }: ExportTensor, axes: readonly number[]): ExportTensor {
  const { shape: turnedShape, values: numbers } = transposed(floats(shape, values), axes);
  return { shape: turnedShape, values: Float32Array.from(numbers) };
}

/** Features along an axis in the order rows, columns, channels. */
export function permuted<Tensor extends ExportTensor | NamedTensor>(
  tensor: Tensor,
  axis: number,
  { channels, pixels }: ColumnsLast,
): Tensor {
  const order = Int32Array.from({ length: channels * pixels }, (_, index) => {
    return (index % channels) * pixels + Math.floor(index / channels);
  });
  const { values } = gathered(floats(tensor.shape, tensor.values), axis, order);
  return { ...tensor, values: Float32Array.from(values) };
}
