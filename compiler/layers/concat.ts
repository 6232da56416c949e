import { nameOrNumber } from "../calls/axis-types.js";
import { withDefault } from "../calls/signature.js";
import type { Value } from "../ir/graph.js";
import { formatShape, isWide, type Shape } from "../ir/shape.js";
import { AXES } from "./channel-parts.js";
import {
  axisText,
  type ChosenAxis,
  nameOfAxis,
  numberOfAxis,
  ownAxis,
  placeOfAxis,
  reportAbsentAxis,
} from "./chosen-axes.js";
import { concatenateValues } from "./joins.js";
import { defineLayer, type InferenceContext, type LayerContext } from "./layer.js";
import { concatenateWide } from "./wide-axes.js";

export const concat = defineLayer({
  name: "concat",
  aliases: ["Concat", "Concatenate", "cat", "concatenate"],
  summary: "concatenation of several values along the channels",
  documentation: `
The channels of the current value, then those of the named values in their order:
\`concat(a, b)\` of \`[N, 8, H, W]\`, \`[N, 4, H, W]\` and \`[N, 2, H, W]\` is \`[N, 14, H, W]\`.
All other sizes must agree. \`concat { branch { ... } ... }\` writes branches from one value without
names, \`concat(axis=rows) { ... }\` along another axis.

\`axis\` joins values along another axis: \`concat(a, axis=rows)\` puts images on top of each
other, \`axis=columns\` side by side, and \`axis=tokens\` joins sequences \`[N, T, C]\` (PyTorch's
\`torch.cat([x, a], 1)\`). All other axes must agree. A class token comes first with
\`from class_token -> concat(x, axis=tokens)\`. Numbers of axes are PyTorch's: \`axis=2\` is the
rows of an image, \`axis=-1\` the last axis, and 0 the batch, whose examples stay apart. Values of
more than four axes are joined along an axis by its number.
`,
  takesWide: true,
  positional: [],
  arguments: {
    axis: withDefault(nameOrNumber(AXES), "channels", "what is joined, by name or number"),
  },
  others: "several",
  samples: [
    { spec: "concat(a)", input: [3, 4, 4], others: [[5, 4, 4]], output: [8, 4, 4] },
    {
      spec: "concat(a, b)",
      input: [8, 3, 3],
      others: [
        [4, 3, 3],
        [6, 3, 3],
      ],
      output: [18, 3, 3],
    },
    { spec: "concat(a)", input: [10], others: [[7]], output: [17] },
    { spec: "concat(a)", input: [5, 8], others: [[5, 4]], output: [5, 12] },
    {
      spec: "concat(a, axis=rows)",
      input: [4, 3, 5],
      others: [[4, 2, 5]],
      output: [4, 5, 5],
    },
    {
      spec: "concat(a, axis=2)",
      input: [4, 3, 5],
      others: [[4, 2, 5]],
      output: [4, 5, 5],
    },
    { spec: "concat(a, axis=-2)", input: [5, 8], others: [[3, 8]], output: [8, 8] },
    {
      spec: "concat(a, axis=columns)",
      input: [3, 4, 2],
      others: [[3, 4, 3]],
      output: [3, 4, 5],
    },
  ],

  infer(input, { axis: chosen }, context) {
    const shapes = [input, ...context.others];
    const axis = ownAxis(chosen, input);
    if (axis === undefined) return reportAbsentAxis(chosen, input, context, "axis");
    return joinedShape(shapes, axis) ?? reportDifference(shapes, { axis, chosen }, context);
  },

  lower(input, { axis: chosen }, context) {
    const { builder, origin, others, shape } = context;
    if (isWide(shape)) return lowerWide(input, numberOfAxis(chosen, shape)!, context);
    const axis = nameOfAxis(chosen, shape);
    const attributes =
      !axis || axis === "channels" ? {} : { axis: axis === "length" ? "columns" : axis };
    return concatenateValues(builder, [input, ...others], origin, attributes);
  },
});

function lowerWide(input: Value, axis: number, context: LayerContext): Value {
  const shapes = [context.shape, ...context.otherShapes];
  const values = [input, ...context.others].map((value, index) => {
    return { value, shape: shapes[index]! };
  });
  return values.length === 1 ? input : concatenateWide(values, axis, context);
}

/** The shape of values that are joined along an axis; undefined where they cannot be. */
export function joinedShape(shapes: readonly Shape[], axis: ChosenAxis): Shape | undefined {
  const [first, ...others] = shapes as [Shape, ...Shape[]];
  const at = placeOfAxis(axis, first);
  if (at === undefined) return undefined;
  const agrees = (shape: Shape) =>
    shape.length === first.length &&
    first.every((size, index) => index === at || size === shape[index]);
  if (!others.every(agrees)) return undefined;
  const size = shapes.reduce((total, shape) => total + Number(shape[at]), 0);
  return first.map((own, index) => (index === at ? size : own));
}

function reportDifference(
  shapes: readonly Shape[],
  { axis, chosen }: { readonly axis: ChosenAxis; readonly chosen: ChosenAxis },
  context: InferenceContext,
): undefined {
  const [first] = shapes as [Shape];
  const wrong = shapes.find((shape) => !joinedShape([first, shape], axis))!;
  const isChannels = axis !== "channels" && first[1] !== wrong[1];
  const kind = isChannels ? "channels" : "space";
  return context.report("NET2031", {
    message:
      `${context.title} joins ${formatShape(first)} and ${formatShape(wrong)}, ` +
      `which differ in more than ${isWide(first) ? "" : "their "}${axisText(axis)}`,
    axis: wrong.length === first.length ? kind : "rank",
    notes: [
      ...(typeof chosen === "number" && typeof axis === "string"
        ? [`axis ${chosen} of ${formatShape(first)} is the ${axis}`]
        : []),
      ...AXES.filter((other) => joinedShape([first, wrong], other)).map(
        (other) => `\`axis=${other}\` joins along the ${other}`,
      ),
      ...numbersThatJoin([first, wrong]).map(
        (other) => `\`axis=${other}\` joins along axis ${other}`,
      ),
    ],
  });
}

/** Axes along which values of more axes than an image can be joined. */
const numbersThatJoin = (shapes: readonly [Shape, Shape]): readonly number[] =>
  isWide(shapes[0])
    ? shapes[0].map((_, axis) => axis).filter((axis) => axis > 0 && joinedShape(shapes, axis))
    : [];
