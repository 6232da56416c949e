import type { ResampleAttributes } from "../ir/graph.js";
import type { OpDefinition } from "./op.js";
import { resampleTaps } from "../ir/resample-taps.js";
import { imageSizes, resolveShape, zeros } from "./tensors.js";
import { pooledShape } from "./windows.js";

/**
 * Visits each pair of an output element and an input element that it is made of, with the weight.
 */
export function forEachResampled(
  shapes: { readonly x: readonly number[]; readonly y: readonly number[] },
  attributes: ResampleAttributes,
  visit: (y: number, x: number, weight: number) => void,
): void {
  const x = imageSizes(shapes.x);
  const y = imageSizes(shapes.y);
  const rows = resampleTaps({ input: x.height, output: y.height }, attributes);
  const columns = resampleTaps({ input: x.width, output: y.width }, attributes);
  for (let index = 0; index < y.images * y.channels * y.pixels; index++) {
    const plane = Math.floor(index / y.pixels) * x.pixels;
    const row = rows[Math.floor((index % y.pixels) / y.width)]!;
    const column = columns[index % y.width]!;
    for (const { at: i, share } of row)
      for (const { at: j, share: part } of column)
        visit(index, plane + i * x.width + j, share * part);
  }
}

/** An image in another size. */
export const resample: OpDefinition<"resample"> = {
  outputs([x], { outputSize }) {
    return [{ shape: pooledShape(x!.shape, outputSize), type: "f32" }];
  },

  gradient(builder, node, [dy]) {
    const { attributes } = node;
    const inputShape = node.inputs[0]!.shape;
    return [builder.add("resampleGradient", [dy!], { ...attributes, inputShape }, node.origin)];
  },

  reference(inputs, attributes, _, [output]) {
    const [x] = inputs;
    const y = zeros(resolveShape(output!.shape, x!.shape[0]!));
    forEachResampled({ x: x!.shape, y: y.shape }, attributes, (yAt, xAt, weight) => {
      y.data[yAt]! += weight * x!.data[xAt]!;
    });
    return [y];
  },
};
