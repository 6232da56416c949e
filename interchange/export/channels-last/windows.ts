/** Padding as Keras says it: none, `same`, or a layer of zeros before. */
import type { Padding, Pair } from "../../../compiler/ir/graph.js";
import { samePadding } from "../../operators/windows.js";
import { hasPadding } from "../pool-windows.js";
import type { KerasConfig, KerasLayers, KerasShape, TensorRef } from "./keras-writer.js";

export interface KerasWindow {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  readonly padding: Padding;
}

/** Whether `same` pads so: the odd row or column at the end. */
export function isSame(
  { height, width }: { readonly height: number; readonly width: number },
  { kernel, stride, dilation, padding }: KerasWindow,
): boolean {
  const along = (axis: 0 | 1, size: number) =>
    samePadding(size, kernel[axis], stride[axis], dilation[axis]);
  const [rows, columns] = [along(0, height), along(1, width)];
  return (
    padding.top === Math.floor(rows / 2) &&
    padding.bottom === Math.ceil(rows / 2) &&
    padding.left === Math.floor(columns / 2) &&
    padding.right === Math.ceil(columns / 2)
  );
}

/** What a window without padding reads. */
export function padded(layers: KerasLayers, padding: Padding): TensorRef {
  const input = layers.input();
  if (!hasPadding(padding)) return input;
  const config = zeroPadding(padding);
  return layers.part("pad", "ZeroPadding2D", paddedShape(input.shape, padding), {
    config,
    inputs: [input],
  });
}

/** Settings of ZeroPadding2D. */
export const zeroPadding = ({ top, bottom, left, right }: Padding): KerasConfig => ({
  padding: [
    [top, bottom],
    [left, right],
  ],
  ...LAST,
});

export function paddedShape(
  [height = 0, width = 0, channels = 0]: KerasShape,
  { top, bottom, left, right }: Padding,
): KerasShape {
  return [height + top + bottom, width + left + right, channels];
}

export const LAST = { data_format: "channels_last" };
