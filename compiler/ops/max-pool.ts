import { withoutUndefined } from "../../program/without-undefined.js";
import { NO_WINNER, type Pair } from "../ir/graph.js";
import type { OpDefinition } from "./op.js";
import { imageSizes, resolveShape, zeros, type ImageSizes } from "./tensors.js";
import { maximaAxes, maximaSize, pooledShape, type MaximaAxis } from "./windows.js";

/**
 * The winner among a window's elements; ties go to the first in row order, and NaN wins, as in
 * PyTorch.
 */
function findWinner(
  plane: ArrayLike<number>,
  { width }: ImageSizes,
  { kernel, axes }: { readonly kernel: Pair; readonly axes: readonly [MaximaAxis, MaximaAxis] },
  place: { readonly row: number; readonly column: number },
): { readonly value: number; readonly code: number } {
  let winner = { value: -Infinity, code: NO_WINNER };
  for (let code = 0; code < kernel[0] * kernel[1]; code++) {
    const row = axes[0].place(place.row, Math.floor(code / kernel[1]));
    const column = axes[1].place(place.column, code % kernel[1]);
    if (row === undefined || column === undefined) continue;
    const value = plane[row * width + column]!;
    if (value > winner.value || isFirstNaN(value, winner)) winner = { value, code };
  }
  return winner;
}

const isFirstNaN = (value: number, winner: { readonly value: number }) =>
  Number.isNaN(value) && !Number.isNaN(winner.value);

/** The largest element of each window, and which it was. */
export const maxPool: OpDefinition<"maxPool"> = {
  outputs([x], attributes) {
    const shape = pooledShape(x!.shape, maximaSize(x!.shape, attributes));
    return [
      { shape, type: "f32" },
      { shape, type: "u32" },
    ];
  },

  gradient(builder, node, [dy]) {
    const { kernel, stride, padding, dilation, outputSize } = node.attributes;
    const windows = { kernel, stride, padding, ...withoutUndefined({ dilation, outputSize }) };
    const attributes = { ...windows, inputShape: node.inputs[0]!.shape };
    return [builder.add("maxPoolGradient", [dy!, node.outputs[1]!], attributes, node.origin)];
  },

  reference(inputs, attributes, _, [output]) {
    const x = inputs[0]!;
    const size = imageSizes(x.shape);
    const y = zeros(resolveShape(output!.shape, size.images));
    const codes = new Uint32Array(y.data.length);
    const pooled = imageSizes(y.shape);
    const windows = { kernel: attributes.kernel, axes: maximaAxes(attributes, size) };
    for (let index = 0; index < y.data.length; index++) {
      const start = Math.floor(index / pooled.pixels) * size.pixels;
      const plane = x.data.subarray(start, start + size.pixels);
      const row = Math.floor((index % pooled.pixels) / pooled.width);
      const winner = findWinner(plane, size, windows, { row, column: index % pooled.width });
      const cut = attributes.relu && winner.value <= 0;
      y.data[index] = cut ? 0 : winner.value;
      codes[index] = cut ? NO_WINNER : winner.code;
    }
    return [y, { shape: y.shape, data: codes }];
  },
};
