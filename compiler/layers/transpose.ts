import { formatShape, type Shape } from "../ir/shape.js";
import { integer } from "../calls/argument-types.js";
import { withDefault } from "../calls/signature.js";
import { refuseSignal } from "./rules.js";
import { defineLayer, type InferenceContext } from "./layer.js";
import { permuteAxes } from "./token-order.js";

export const transpose = defineLayer({
  name: "transpose",
  aliases: ["Transpose", "swapaxes", "swapdims"],
  summary: "swaps two axes",
  documentation: `
Swaps two axes, numbered as in PyTorch. The batch is axis 0 and does not move:
\`transpose(1, 2)\`, or \`transpose\` for short, turns \`[N, T, C]\` into \`[N, C, T]\`. \`permute\`
gives all axes a new order.
`,
  positional: ["first", "second"],
  arguments: {
    first: withDefault(integer({ minimum: 1, maximum: 3 }), 1, "an axis, from 1"),
    second: withDefault(integer({ minimum: 1, maximum: 3 }), 2, "the axis to swap it with"),
  },
  samples: [
    { spec: "transpose", input: [5, 8], output: [8, 5] },
    { spec: "transpose(2, 3)", input: [3, 4, 6], output: [3, 6, 4] },
    { spec: "transpose(1, 3)", input: [3, 4, 6], output: [6, 4, 3] },
  ],

  infer(input, values, context) {
    if (!refuseSignal(input, context) || !requireAxes(input, values, context)) return undefined;
    return axesOf(input, values).map((axis) => input[axis]!);
  },

  lower: (input, values, { builder, origin }) =>
    permuteAxes(builder, input, axesOf(input.shape, values), origin),
});

interface TwoAxes {
  readonly first: number;
  readonly second: number;
}

const axesOf = (shape: Shape, { first, second }: TwoAxes): readonly number[] =>
  shape.map((_, axis) => (axis === first ? second : axis === second ? first : axis));

function requireAxes(input: Shape, { first, second }: TwoAxes, context: InferenceContext) {
  const largest = Math.max(first, second);
  if (largest < input.length && first !== second) return true;
  context.report("NET2028", {
    message:
      first === second
        ? `${context.title} exchanges axis ${first} with itself`
        : `${context.title}: ${formatShape(input)} has no axis ${largest}`,
    label: `axes 1 to ${input.length - 1} can be exchanged`,
    axis: "rank",
    notes: ["axis 0 is the batch, which stays"],
  });
  return false;
}
