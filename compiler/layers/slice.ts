import { integer } from "../calls/argument-types.js";
import { nameOrNumber } from "../calls/axis-types.js";
import { type ArgumentValues, optional, required, withDefault } from "../calls/signature.js";
import { formatShape, type Shape } from "../ir/shape.js";
import { AXES, type AxisName, type AxisPart, partOf, storedAxisOf } from "./channel-parts.js";
import { nameOfAxis, reportAbsentAxis } from "./chosen-axes.js";
import { defineLayer, type InferenceContext } from "./layer.js";

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

Two \`slice\` of a named value are the two outputs of PyTorch's \`split\`;
\`split { branch { ... } branch { ... } }\` takes each part of a value through separate layers.
`,
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
    const axis = nameOfAxis(values.axis, input);
    if (!axis) return reportAbsentAxis(values.axis, input, context, "axis");
    const at = storedAxisOf(axis, input);
    const part = partIn(Number(input[at]), values);
    if (!part) return reportPart({ axis, size: Number(input[at]), input }, values, context);
    return input.map((size, index) => (index === at ? part.count : size));
  },

  lower(input, values, { builder, origin, shape }) {
    const axis = storedAxisOf(nameOfAxis(values.axis, shape)!, input.shape);
    const part = partIn(Number(input.shape[axis]), values)!;
    return partOf(builder, input, { axis, ...part }, origin);
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
  readonly axis: AxisName;
  readonly size: number;
  readonly input: Shape;
}

function reportPart(
  { axis, size, input }: Cut,
  { start, end }: SliceValues,
  context: InferenceContext,
): undefined {
  const outside = end !== undefined && end > size;
  return context.report("NET2035", {
    message:
      `${context.title} takes ${axis} ${start} to ${end ?? size} ` +
      `of ${formatShape(input)}, which has ${axis} 0 to ${size - 1}`,
    at: outside ? "end" : "start",
    label: outside ? `at most ${size}` : "nothing is left",
    axis: axis === "channels" || axis === "tokens" ? "channels" : "space",
    notes: [`the end does not belong to the part: \`slice(${axis}, 0, 4)\` has ${axis} 0 to 3`],
    fixes: outside ? [context.removeArgument("end", "drop the end: all up to the last")] : [],
  });
}
