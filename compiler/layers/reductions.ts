/** What `sum`, `mean`, `max`, `min` and `logsumexp` share: values along some axes as one. */
import { namesOrNumbers } from "../calls/axis-types.js";
import { required } from "../calls/signature.js";
import type { Builder } from "../ir/builder.js";
import type { ReduceAttributes, Value } from "../ir/graph.js";
import type { Origin } from "../ir/origin.js";
import { formatShape, isWide, reducedShape, type Shape, writtenAxes } from "../ir/shape.js";
import { each, type Alias } from "../diagnostics/alias.js";
import { AXES, type AxisName, storedAxis } from "./channel-parts.js";
import { type ChosenAxis, nameOfAxis, numberOfAxis, reportAbsentAxis } from "./chosen-axes.js";
import { defineLayer, type InferenceContext, type LayerDefinition } from "./layer.js";
import { reducedWide, reduceWide } from "./wide-axes.js";

/** How a reduction differs from the others. */
interface Reduction {
  readonly name: string;
  readonly aliases: readonly Alias[];
  readonly summary: string;
  /** What it computes, as a sentence. */
  readonly says: string;
  readonly by: ReduceAttributes["by"];
  lower(reduce: (value: Value) => Value, input: Value, at: Lowering): Value;
}

interface Lowering {
  readonly builder: Builder;
  readonly origin: Origin;
  /** How many elements become one. */
  readonly count: number;
}

/** Other frameworks drop the axes, and some have the channels last. */
export const withNamedAxes = (names: readonly string[]): readonly Alias[] =>
  each(names, {
    differs: "the axes stay here with size 1; they have names, and the numbers of `[N, C, H, W]`",
  });

export function defineReduction(reduction: Reduction): LayerDefinition {
  const { name, aliases, summary, says, by } = reduction;
  return defineLayer({
    name,
    aliases,
    summary,
    reduces: true,
    takesWide: true,
    documentation: `
${says} The axes stay, with one element each: \`${name}(channels)\` of \`[N, C, H, W]\` is
\`[N, 1, H, W]\`, PyTorch's \`keepdim=True\`, and \`${name}([rows, columns])\` is \`[N, C, 1, 1]\`.
\`flatten\` drops them. Formulas call it as \`${name}(x, over=channels)\`, and repeat its result
where they compute with it.

- input \`[N, C, H, W]\` with the axes \`channels\`, \`rows\` and \`columns\`, \`[N, T, C]\` with
  \`tokens\` and \`channels\`, a signal \`[N, C, L]\` with \`channels\` and \`length\`, or
  \`[N, C]\` with \`channels\`
- numbers are PyTorch's: \`${name}(1)\` is over the channels of images, \`${name}(-1)\` over the
  last axis. Axis 0 is the batch, whose examples stay apart
- values of more axes, which \`reshape\` makes: \`${name}(-1)\` of \`[N, 2, 4, 2, 3, 6]\` is
  \`[N, 2, 4, 2, 3, 1]\`, \`${name}([2, 3])\` is \`[N, 2, 1, 1, 3, 6]\`
`,
    positional: ["over"],
    arguments: {
      over: required(namesOrNumbers(AXES), "the axes along which elements become one"),
    },
    samples: [
      { spec: `${name}(channels)`, input: [5, 4, 3], output: [1, 4, 3] },
      { spec: `${name}([rows, columns])`, input: [5, 4, 3], output: [5, 1, 1] },
      { spec: `${name}(tokens)`, input: [4, 6], output: [1, 6] },
      { spec: `${name}(channels)`, input: [10], output: [1] },
      { spec: `${name}([1, -1])`, input: [5, 4, 3], output: [1, 4, 1] },
    ],

    infer(input, { over }, context) {
      if (isWide(input)) return wideShape(over, input, context);
      const names = namesOf(over, input, context);
      return names && reducedShape(input, names.map(storedAxis));
    },

    lower(input, { over }, { builder, origin, shape }) {
      const numbers = over.map((axis) => numberOfAxis(axis, shape)!);
      const count = numbers.reduce((n, axis) => n * Number(writtenAxes(shape)[axis]), 1);
      const reduce = (value: Value) => {
        if (isWide(shape)) return reduceWide(value, { shape, axes: numbers, by }, builder, origin);
        const axes = over.map((axis) => storedAxis(nameOfAxis(axis, shape)!));
        return builder.add("reduce", [value], { by, axes }, origin);
      };
      return reduction.lower(reduce, input, { builder, origin, count });
    },
  });
}

/** Of a value of more axes than an image, whose axes have no names. */
function wideShape(
  over: readonly ChosenAxis[],
  input: Shape,
  context: InferenceContext,
): Shape | undefined {
  const axes = over.map((axis) => numberOfAxis(axis, input));
  const absent = axes.indexOf(undefined);
  if (absent >= 0) return reportAbsentAxis(over[absent]!, input, context, "over");
  const twice = axes.find((axis, index) => axes.indexOf(axis) !== index);
  if (twice === undefined) return reducedWide(input, axes as readonly number[]);
  return reportTwice(`axis ${twice}`, input, context);
}

/** Each axis once; undefined after a report. */
function namesOf(
  over: readonly ChosenAxis[],
  input: Shape,
  context: InferenceContext,
): readonly AxisName[] | undefined {
  const names = over.map((axis) => nameOfAxis(axis, input));
  const absent = names.indexOf(undefined);
  if (absent >= 0) return reportAbsentAxis(over[absent]!, input, context, "over");
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (!twice) return names as readonly AxisName[];
  return reportTwice(`the ${twice}`, input, context);
}

const reportTwice = (axis: string, input: Shape, context: InferenceContext): undefined =>
  context.report("NET2035", {
    message: `${context.title} is over ${axis} of ${formatShape(input)} twice`,
    at: "over",
    label: "each axis once",
    axis: "rank",
  });
