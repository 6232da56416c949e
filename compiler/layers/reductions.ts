/** What `sum`, `mean`, `max`, `min` and `logsumexp` share: values along some axes as one. */
import { choices } from "../calls/argument-types.js";
import { required } from "../calls/signature.js";
import type { Builder } from "../ir/builder.js";
import type { ReduceAttributes, Value } from "../ir/graph.js";
import type { Origin } from "../ir/origin.js";
import { axesOf, formatShape, reducedShape, type Shape } from "../ir/shape.js";
import { each, type Alias } from "../diagnostics/alias.js";
import { AXES, axisNames, type AxisName, storedAxis } from "./channel-parts.js";
import { defineLayer, type InferenceContext, type LayerDefinition } from "./layer.js";

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

/** Other frameworks number axes, and drop them. */
export const withNamedAxes = (names: readonly string[]): readonly Alias[] =>
  each(names, { differs: "axes have names here: `channels`, `[rows, columns]`, and they stay" });

export function defineReduction(reduction: Reduction): LayerDefinition {
  const { name, aliases, summary, says, by } = reduction;
  return defineLayer({
    name,
    aliases,
    summary,
    reduces: true,
    documentation: `
${says} The axes stay, with one element each: \`${name}(channels)\` of \`[N, C, H, W]\` is
\`[N, 1, H, W]\`, PyTorch's \`keepdim=True\`, and \`${name}([rows, columns])\` is \`[N, C, 1, 1]\`.
\`flatten\` drops them. Formulas call it as \`${name}(x, over=channels)\`, and repeat its result
where they compute with it.

- input \`[N, C, H, W]\` with the axes \`channels\`, \`rows\` and \`columns\`, \`[N, T, C]\` with
  \`tokens\` and \`channels\`, a signal \`[N, C, L]\` with \`channels\` and \`length\`, or
  \`[N, C]\` with \`channels\`
`,
    positional: ["over"],
    arguments: { over: required(choices(AXES), "the axes along which elements become one") },
    samples: [
      { spec: `${name}(channels)`, input: [5, 4, 3], output: [1, 4, 3] },
      { spec: `${name}([rows, columns])`, input: [5, 4, 3], output: [5, 1, 1] },
      { spec: `${name}(tokens)`, input: [4, 6], output: [1, 6] },
      { spec: `${name}(channels)`, input: [10], output: [1] },
    ],

    infer(input, { over }, context) {
      const wrong = over.find((axis) => !axisNames(input).includes(axis));
      return wrong ? reportAxis(wrong, input, context) : reducedShape(input, over.map(storedAxis));
    },

    lower(input, { over }, { builder, origin }) {
      const axes = over.map(storedAxis);
      const sizes = input.shape.slice(1).map(Number);
      const own = axesOf(input.shape);
      const count = sizes.reduce((n, size, axis) => n * (axes.includes(own[axis]!) ? size : 1), 1);
      const reduce = (value: Value) => builder.add("reduce", [value], { by, axes }, origin);
      return reduction.lower(reduce, input, { builder, origin, count });
    },
  });
}

function reportAxis(axis: AxisName, input: Shape, context: InferenceContext): undefined {
  const known = axisNames(input);
  return context.report("NET2035", {
    message: `${context.title}: ${formatShape(input)} has no ${axis}`,
    at: "over",
    label: `its axes are ${known.join(", ")}`,
    axis: "rank",
    fixes:
      known.length === 1
        ? [context.replaceArgument("over", known[0]!, `write \`${known[0]!}\``)]
        : [],
  });
}
