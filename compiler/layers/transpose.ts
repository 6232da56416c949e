import type { Shape } from "../ir/shape.js";
import { nameOrNumber } from "../calls/axis-types.js";
import { withDefault } from "../calls/signature.js";
import { refuseSignal } from "./rules.js";
import { AXES } from "./channel-parts.js";
import { type ChosenAxis, numberedAxes, numberOfAxis, reportAbsentOrder } from "./chosen-axes.js";
import { defineLayer, type InferenceContext } from "./layer.js";
import { permuteAxes } from "./token-order.js";

export const transpose = defineLayer({
  name: "transpose",
  aliases: ["Transpose", "swapaxes", "swapdims"],
  summary: "swaps two axes",
  documentation: `
Swaps two axes: \`transpose(rows, columns)\` by their names, or \`transpose(2, 3)\` and
\`transpose(-2, -1)\` by PyTorch's numbers. \`transpose\` is \`transpose(1, 2)\`, which turns
\`[N, T, C]\` into \`[N, C, T]\`. The batch is axis 0 and does not move. \`permute\` gives all
axes a new order.

Names are those of the input: \`channels\`, \`rows\` and \`columns\` of images, \`tokens\` and
\`channels\` of sequences. The output's axes have their names by their places again.
`,
  takesWide: true,
  positional: ["first", "second"],
  arguments: {
    first: withDefault(nameOrNumber(AXES), 1, "an axis"),
    second: withDefault(nameOrNumber(AXES), 2, "the axis to swap it with"),
  },
  samples: [
    { spec: "transpose", input: [5, 8], output: [8, 5] },
    { spec: "transpose(2, 3)", input: [3, 4, 6], output: [3, 6, 4] },
    { spec: "transpose(rows, columns)", input: [3, 4, 6], output: [3, 6, 4] },
    { spec: "transpose(tokens, channels)", input: [5, 8], output: [8, 5] },
    { spec: "transpose(1, -1)", input: [3, 4, 6], output: [6, 4, 3] },
  ],

  infer(input, values, context) {
    if (!refuseSignal(input, context) || !requireAxes(input, values, context)) return undefined;
    return swapped(input, values).map((axis) => input[axis]!);
  },

  lower: (input, values, context) =>
    permuteAxes(input, context.shape, swapped(context.shape, values), context),
});

interface TwoAxes {
  readonly first: ChosenAxis;
  readonly second: ChosenAxis;
}

/** For each axis of the output, which one of the input it is. */
export function swapped(shape: Shape, { first, second }: TwoAxes): readonly number[] {
  const [a, b] = [numberOfAxis(first, shape), numberOfAxis(second, shape)];
  return shape.map((_, axis) => (axis === a ? b! : axis === b ? a! : axis));
}

/** Undefined after a report. */
function requireAxes(input: Shape, values: TwoAxes, context: InferenceContext): true | undefined {
  const { first, second } = values;
  for (const at of ["first", "second"] as const) {
    if (numberOfAxis(values[at], input) === undefined) {
      return reportAbsentOrder(values[at], input, context, at);
    }
  }
  if (numberOfAxis(first, input) !== numberOfAxis(second, input)) return true;
  return context.report("NET2028", {
    message:
      first === second
        ? `${context.title} exchanges axis ${first} with itself`
        : `${context.title} exchanges axis ${first} with ${second}, which is the same one`,
    label: `its axes are ${numberedAxes(input)}`,
    axis: "rank",
    notes: ["axis 0 is the batch, which stays"],
  });
}
