import { integer } from "../calls/argument-types.js";
import { nameOrNumber } from "../calls/axis-types.js";
import { type ArgumentValues, optional, required, withDefault } from "../calls/signature.js";
import { formatShape, isWide, type Shape } from "../ir/shape.js";
import { AXES, type AxisPart, partOf } from "./channel-parts.js";
import { type ChosenAxis, ownAxis, placeOfAxis, reportAbsentAxis } from "./chosen-axes.js";
import { defineLayer, type InferenceContext } from "./layer.js";
import { partOfWide } from "./wide-axes.js";

const sliceArguments = {
  axis: required(nameOrNumber(AXES), "what is cut, by name or by number"),
  start: withDefault(integer(), 0, "the first one; negative numbers count from the end"),
  end: optional(integer(), "the first one behind it; negative numbers count from the end"),
  step: withDefault(integer({ minimum: 1 }), 1, "from one to the next"),
};

export const slice = defineLayer({
  name: "slice",
  aliases: [
    { name: "narrow", differs: "`narrow` counts elements, `slice` names the end" },
    { name: "split", differs: "`split { branch { ... } ... }` has a branch for each part" },
    { name: "chunk", differs: "`split { branch { ... } ... }` has a branch for each part" },
  ],
  summary: "a part of a value along one axis",
  documentation: `
\`slice(channels, 0, 16)\` is PyTorch's \`x[:, 0:16]\`, \`slice(rows, 1, step=2)\` is
\`x[:, :, 1::2]\`. Numbers count from 0, the end does not belong to the part, and negative ones
count from the end. So do numbers of axes: \`slice(1, 0, 16)\` is of the channels of an image, and
\`slice(-1, 0, 16)\` of the last axis. Axis 0 is the batch, whose examples stay together.

- input \`[N, C, H, W]\` with the axes \`channels\`, \`rows\` and \`columns\`, \`[N, T, C]\` with
  \`tokens\` and \`channels\`, a signal \`[N, C, L]\` with \`channels\` and \`length\`, or
  \`[N, C]\` with \`channels\`; the output has as many axes
- axes of more than four have numbers: \`slice(2, 2, 5)\` of \`[N, 8, 16, 3, 4]\` is PyTorch's
  \`x[:, :, 2:5]\`, \`[N, 8, 3, 3, 4]\`

Two \`slice\` of a named value are the two outputs of PyTorch's \`split\`;
\`split { branch { ... } branch { ... } }\` takes each part of a value through separate layers.
`,
  takesWide: true,
  positional: ["axis", "start", "end", "step"],
  arguments: sliceArguments,
  samples: [
    { spec: "slice(channels, 2, 6)", input: [8, 4, 4], output: [4, 4, 4] },
    { spec: "slice(rows, 1, step=2)", input: [3, 7, 5], output: [3, 3, 5] },
    { spec: "slice(columns, -3)", input: [3, 4, 8], output: [3, 4, 3] },
    { spec: "slice(tokens, 1)", input: [5, 6], output: [4, 6] },
    { spec: "slice(channels, end=-1)", input: [10], output: [9] },
    { spec: "slice(2, 1, 4)", input: [3, 7, 5], output: [3, 3, 5] },
    { spec: "slice(-1, 2)", input: [5, 6], output: [5, 4] },
  ],

  infer(input, values, context) {
    const axis = ownAxis(values.axis, input);
    if (axis === undefined) return reportAbsentAxis(values.axis, input, context, "axis");
    const at = placeOfAxis(axis, input)!;
    const part = partIn(Number(input[at]), values);
    if (!part) return reportPart({ axis, size: Number(input[at]), input }, values, context);
    return input.map((size, index) => (index === at ? part.count : size));
  },

  lower(input, values, { builder, origin, shape }) {
    const axis = placeOfAxis(values.axis, shape)!;
    const part = { axis, ...partIn(Number(shape[axis]), values)! };
    return isWide(shape)
      ? partOfWide({ value: input, shape }, part, { builder, origin })
      : partOf(builder, input, part, origin);
  },
});

type SliceValues = ArgumentValues<typeof sliceArguments>;

/** Undefined where it lies outside, or has no elements. */
function partIn(size: number, { start, end, step }: SliceValues): AxisPart | undefined {
  const fromStart = (at: number) => (at < 0 ? size + at : at);
  const [first, last] = [fromStart(start), end === undefined ? size : fromStart(end)];
  if (first < 0 || last > size || first >= last) return undefined;
  return { start: first, count: Math.ceil((last - first) / step), step };
}

interface Cut {
  readonly axis: ChosenAxis;
  readonly size: number;
  readonly input: Shape;
}

function reportPart(
  { axis, size, input }: Cut,
  { start, end }: SliceValues,
  context: InferenceContext,
): undefined {
  const outside = end !== undefined && end > size;
  const isNumber = typeof axis === "number";
  const elements = isNumber ? "elements" : axis;
  const along = isNumber ? ` of axis ${axis}` : "";
  return context.report("NET2035", {
    message:
      `${context.title} takes ${elements} ${start} to ${end ?? size}${along} ` +
      `of ${formatShape(input)}, which has ${elements} 0 to ${size - 1}`,
    at: outside ? "end" : "start",
    label: outside ? `at most ${size}` : "nothing is left",
    axis: axis === "channels" || axis === "tokens" ? "channels" : "space",
    notes: [`the end does not belong to the part: \`slice(${axis}, 0, 4)\` has ${elements} 0 to 3`],
    fixes: outside ? [context.removeArgument("end", "drop the end: all up to the last")] : [],
  });
}
