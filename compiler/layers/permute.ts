import { formatShape, isWide, type Shape } from "../ir/shape.js";
import { namesOrNumbers } from "../calls/axis-types.js";
import { required } from "../calls/signature.js";
import { refuseSignal } from "./rules.js";
import { AXES, axisNames } from "./channel-parts.js";
import { type ChosenAxis, isBatchAxis, numberedAxes, numberOfAxis } from "./chosen-axes.js";
import { defineLayer } from "./layer.js";
import { permuteAxes } from "./token-order.js";

export const permute = defineLayer({
  name: "permute",
  aliases: [{ name: "Permute", differs: "Keras' `Permute` does not count the batch axis" }],
  summary: "reorders the axes",
  documentation: `
The axes in another order, by their names or numbered as in PyTorch: \`[N, C, H, W]\` becomes
\`[N, H, W, C]\` by \`permute([rows, columns, channels])\` and by \`permute([0, 2, 3, 1])\`. The
batch is axis 0 and stays first; names alone leave it out.

Names are those of the input: \`channels\`, \`rows\` and \`columns\` of images, \`tokens\` and
\`channels\` of sequences. The output's axes have their names by their places again: the layers of
netc expect channels at axis 1 of images \`[N, C, H, W]\`, and at the last axis of sequences
\`[N, T, C]\`.

Axes of more than four, which \`reshape\` makes, have numbers only. With the \`reshape\`s around it,
a \`permute\` is one move of the elements.
`,
  takesWide: true,
  positional: ["axes"],
  arguments: {
    axes: required(
      namesOrNumbers(AXES),
      "each axis once: by names, or by numbers with the batch (0) first",
    ),
  },
  samples: [
    { spec: "permute([0, 2, 1])", input: [5, 8], output: [8, 5] },
    { spec: "permute([0, 2, 3, 1])", input: [3, 4, 6], output: [4, 6, 3] },
    { spec: "permute([rows, columns, channels])", input: [3, 4, 6], output: [4, 6, 3] },
    { spec: "permute([channels, tokens])", input: [5, 8], output: [8, 5] },
    { spec: "permute([0, -1, channels, -2])", input: [3, 4, 6], output: [6, 3, 4] },
  ],

  infer(input, { axes }, context) {
    if (!refuseSignal(input, context)) return undefined;
    const order = orderOf(input, axes);
    const isWhole = new Set(order).size === input.length && !order.includes(undefined);
    const isOrder = isWhole && order.length === input.length;
    if (isOrder && order[0] === 0) return order.map((axis) => input[axis!]!);
    const all = input.map((_, index) => index).join(", ");
    const byName = `each of ${axisNames(input).join(", ")} once`;
    const isNamed = !isWide(input) && axes.every((axis) => typeof axis === "string");
    return context.report("NET2028", {
      message: `${context.title}: [${axes.join(", ")}] does not order ${formatShape(input)}`,
      at: "axes",
      label: isOrder
        ? "the batch, axis 0, stays first"
        : `expected ${isNamed ? byName : `each of ${all} once`}`,
      axis: "rank",
      notes: isNamed || isOrder ? [] : [`its axes are 0 (batch), ${numberedAxes(input)}`],
    });
  },

  lower: (input, { axes }, context) =>
    permuteAxes(input, context.shape, orderOf(context.shape, axes) as readonly number[], context),
});

/** For each axis of the output, which one of the input it is; undefined for none such. */
export function orderOf(
  shape: Shape,
  axes: readonly ChosenAxis[],
): readonly (number | undefined)[] {
  const order = axes.map((axis) => (isBatchAxis(axis, shape) ? 0 : numberOfAxis(axis, shape)));
  return axes.every((axis) => typeof axis === "string") ? [0, ...order] : order;
}
