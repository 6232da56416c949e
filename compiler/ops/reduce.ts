import type { Builder } from "../ir/builder.js";
import { binary, multiply, operand, subtract, unary } from "../ir/expression.js";
import { isGreater, not } from "../ir/expression-choice.js";
import type { Node, ReduceAttributes, Value } from "../ir/graph.js";
import { reducedShape } from "../ir/shape.js";
import { addPointwise } from "./add-pointwise.js";
import type { OpDefinition } from "./op.js";
import { imageSizes, resolveShape, zeros } from "./tensors.js";

type Reduction = ReduceAttributes["by"];

const REDUCED: Readonly<Record<Reduction, (values: readonly number[]) => number>> = {
  sum: (values) => values.reduce((sum, value) => sum + value, 0),
  max: (values) => values.reduce((a, b) => Math.max(a, b)),
  logsumexp(values) {
    const most = values.reduce((a, b) => Math.max(a, b));
    const shift = Math.abs(most) === Infinity ? 0 : most;
    return shift + Math.log(values.reduce((sum, value) => sum + Math.exp(value - shift), 0));
  },
};

/** What the slope of each element is made of: the node's input and output, and its gradient. */
const GRADIENTS: Readonly<
  Record<Reduction, (builder: Builder, node: Node<"reduce">, dy: Value) => Value>
> = {
  sum: (builder, { inputs, origin }, dy) => spreadTo(builder, dy, inputs[0]!, origin),

  /** Elements that tie share the gradient evenly, as in PyTorch's `amax`. */
  max(builder, { inputs, outputs, attributes, origin }, dy) {
    const [x] = inputs;
    const most = spreadTo(builder, outputs[0]!, x!, origin);
    const isMost = not(isGreater(operand(1), operand(0)));
    const ties = addPointwise(builder, [x!, most], isMost, origin);
    const sum = { by: "sum", axes: attributes.axes } as const;
    const count = builder.add("reduce", [ties], sum, origin);
    const share = addPointwise(
      builder,
      [dy, count],
      binary("divide", operand(0), operand(1)),
      origin,
    );
    const shares = spreadTo(builder, share, x!, origin);
    return addPointwise(builder, [x!, most, shares], multiply(isMost, operand(2)), origin);
  },

  logsumexp(builder, { inputs, outputs, origin }, dy) {
    const [x] = inputs;
    const total = spreadTo(builder, outputs[0]!, x!, origin);
    const slope = spreadTo(builder, dy, x!, origin);
    const share = unary("exp", subtract(operand(0), operand(1)));
    return addPointwise(builder, [x!, total, slope], multiply(operand(2), share), origin);
  },
};

const spreadTo = (builder: Builder, value: Value, { shape }: Value, origin: Value["origin"]) =>
  builder.add("spread", [value], { shape }, origin);

/** A value's elements along some of its axes as one. */
export const reduce: OpDefinition<"reduce"> = {
  outputs: ([x], { axes }) => [{ shape: reducedShape(x!.shape, axes), type: "f32" }],

  gradient: (builder, node, [dy]) => [GRADIENTS[node.attributes.by](builder, node, dy!)],

  reference([x], { by }, _, [output]) {
    const y = zeros(resolveShape(output!.shape, x!.shape[0]!));
    const values = Array.from(y.data, (): number[] => []);
    forEachSpread(x!.shape, y.shape, (large, small) => values[small]!.push(x!.data[large]!));
    values.forEach((each, index) => (y.data[index] = REDUCED[by](each)));
    return [y];
  },
};

/** Visits each element of the larger of two shapes, and its element of the smaller one. */
export function forEachSpread(
  large: readonly number[],
  small: readonly number[],
  visit: (large: number, small: number) => void,
): void {
  const [all, some] = [imageSizes(large), imageSizes(small)];
  const count = all.images * all.channels * all.pixels;
  for (let index = 0; index < count; index++) {
    const x = Math.min(index % all.width, some.width - 1);
    const y = Math.min(Math.floor(index / all.width) % all.height, some.height - 1);
    const channel = Math.min(Math.floor(index / all.pixels) % all.channels, some.channels - 1);
    const image = Math.floor(index / all.pixels / all.channels);
    const plane = image * some.channels + channel;
    visit(index, (plane * some.height + y) * some.width + x);
  }
}
