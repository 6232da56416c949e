import { formatShape } from "../ir/shape.js";
import { integers } from "../calls/argument-types.js";
import { required } from "../calls/signature.js";
import { refuseSignal } from "./rules.js";
import { defineLayer } from "./layer.js";
import { permuteAxes } from "./token-order.js";

export const permute = defineLayer({
  name: "permute",
  aliases: [{ name: "Permute", differs: "Keras' `Permute` does not count the batch axis" }],
  summary: "reorders the axes",
  documentation: `
Axis \`i\` of the output is axis \`axes[i]\` of the input, numbered as in PyTorch. The batch is
axis 0 and stays first: \`permute([0, 2, 3, 1])\` turns \`[N, C, H, W]\` into \`[N, H, W, C]\`.
The layers of netc expect channels at axis 1 of images \`[N, C, H, W]\`, and at the last axis of
sequences \`[N, T, C]\`.
`,
  positional: ["axes"],
  arguments: {
    axes: required(integers({ minimum: 0 }), "each axis once, the batch (0) first"),
  },
  samples: [
    { spec: "permute([0, 2, 1])", input: [5, 8], output: [8, 5] },
    { spec: "permute([0, 2, 3, 1])", input: [3, 4, 6], output: [4, 6, 3] },
  ],

  infer(input, { axes }, context) {
    if (!refuseSignal(input, context)) return undefined;
    const sorted = axes.toSorted((a, b) => a - b);
    const isOrder = axes.length === input.length && sorted.every((axis, index) => axis === index);
    if (isOrder && axes[0] === 0) return axes.map((axis) => input[axis]!);
    const all = input.map((_, index) => index).join(", ");
    return context.report("NET2028", {
      message: `${context.title}: [${axes.join(", ")}] does not order ${formatShape(input)}`,
      at: "axes",
      label: isOrder ? "the batch, axis 0, stays first" : `expected each of ${all} once`,
      axis: "rank",
    });
  },

  lower: (input, { axes }, { builder, origin }) => permuteAxes(builder, input, axes, origin),
});
