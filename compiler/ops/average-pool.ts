import type { AverageAttributes } from "../ir/graph.js";
import type { Shape } from "../ir/shape.js";
import type { OpDefinition } from "./op.js";
import { imageSizes, resolveShape, zeros } from "./tensors.js";
import { averageWindows, pooledShape, windowedSize } from "./windows.js";

/** The output shape of an average pool; this allocates no memory of that size. */
export function averagedShape(x: Shape, attributes: AverageAttributes): Shape {
  const isAdaptive = attributes.windows === "adaptive";
  return pooledShape(x, isAdaptive ? attributes.outputSize : windowedSize(x, attributes));
}

/** Visits each pair of a window's output and an element it averages, with the element's weight. */
export function forEachAveraged(
  shapes: { readonly x: readonly number[]; readonly y: readonly number[] },
  attributes: AverageAttributes,
  visit: (y: number, x: number, weight: number) => void,
): void {
  const x = imageSizes(shapes.x);
  const y = imageSizes(shapes.y);
  const { rows, columns } = averageWindows(attributes, x);
  for (let index = 0; index < y.images * y.channels * y.pixels; index++) {
    const plane = Math.floor(index / y.pixels) * x.pixels;
    const row = rows[Math.floor((index % y.pixels) / y.width)]!;
    const column = columns[index % y.width]!;
    const weight = 1 / (row.divisor * column.divisor);
    for (let i = row.start; i < row.end; i++)
      for (let j = column.start; j < column.end; j++) visit(index, plane + i * x.width + j, weight);
  }
}

/** The mean of each window. */
export const averagePool: OpDefinition<"averagePool"> = {
  outputs([x], attributes) {
    return [{ shape: averagedShape(x!.shape, attributes), type: "f32" }];
  },

  gradient(builder, node, [dy]) {
    const { attributes } = node;
    const inputShape = node.inputs[0]!.shape;
    return [builder.add("averagePoolGradient", [dy!], { ...attributes, inputShape }, node.origin)];
  },

  reference(inputs, attributes, _, [output]) {
    const [x] = inputs;
    const y = zeros(resolveShape(output!.shape, x!.shape[0]!));
    forEachAveraged({ x: x!.shape, y: y.shape }, attributes, (yAt, xAt, weight) => {
      y.data[yAt]! += weight * x!.data[xAt]!;
    });
    return [y];
  },
};
