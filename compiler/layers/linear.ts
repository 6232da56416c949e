import { plural } from "../diagnostics/plural.js";
import { CAFFE_INITIAL_VALUES, KERAS_INITIAL_VALUES } from "./foreign-initial-values.js";
import { each } from "../diagnostics/alias.js";
import { add, channel, operand } from "../ir/expression.js";
import {
  elementCount,
  formatShape,
  imageShape,
  isSequence,
  isSignal,
  writtenAxes,
  withChannels,
  type Shape,
} from "../ir/shape.js";
import { integer } from "../calls/argument-types.js";
import { optional, required } from "../calls/signature.js";
import { defineLayer, type InferenceContext } from "./layer.js";
import { addBias, addWeight, weightArguments } from "./weights.js";

export const linear = defineLayer({
  name: "linear",
  aliases: [
    ...["Linear", "fc", "FullyConnected", "fully_connected"],
    ...each(["Dense", "dense"], { defaults: KERAS_INITIAL_VALUES }),
    { name: "InnerProduct", differs: CAFFE_INITIAL_VALUES },
  ],
  summary: "fully connected layer",
  documentation: `
\`y[n, o] = bias[o] + sum w[o, f] * x[n, f]\` over the features \`f\`.

- input \`[N, F]\`, output \`[N, out]\`; a sequence \`[N, T, F]\` gives \`[N, T, out]\`, each
  token separately
- parameters \`weight [out, F]\` and \`bias [out]\`

Put \`flatten\` between an image and this layer. netc infers the number of input features;
\`in=9216\` states the number that you expect.
`,
  takesWide: "last axis",
  positional: ["out"],
  arguments: {
    out: required(integer({ minimum: 1 }), "number of output features"),
    in: optional(
      integer({ minimum: 1 }),
      "expected number of input features; an error if it differs",
    ),
    ...weightArguments,
  },
  samples: [
    { spec: "linear(10)", input: [64], output: [10] },
    { spec: "linear(4, in=6, bias=false)", input: [6], output: [4] },
    { spec: "linear(10)", input: [5, 8], output: [5, 10] },
  ],

  infer(input, { out, in: declared }, context) {
    const isImage = input.length === 4;
    const features = isImage ? elementCount(input) : imageShape(input).channels;
    if (isImage) {
      reportImage(input, context);
    } else if (declared !== undefined && declared !== features) {
      reportFeatures(declared, features, context);
    }
    return isImage ? [input[0]!, out] : withChannels(input, out);
  },

  lower(input, values, context) {
    const features = imageShape(input.shape).channels;
    const fans = { fanIn: features, fanOut: values.out };
    const weight = addWeight([values.out, features], fans, values, context);
    const { builder, origin } = context;
    const output = builder.add("convolution", [input, weight], AS_CONVOLUTION, origin);
    if (!values.bias) return output;
    const bias = addBias(values.out, fans, values, context);
    const expression = add(operand(0), channel(1));
    return builder.add("pointwise", [output, bias], { expression }, origin);
  },

  macs: (input, output) => elementCount(input) * imageShape(output).channels,
});

/** A linear layer is the convolution of a single pixel with a 1x1 kernel. */
export const AS_CONVOLUTION = {
  kernel: [1, 1],
  stride: [1, 1],
  padding: { top: 0, bottom: 0, left: 0, right: 0 },
  dilation: [1, 1],
  groups: 1,
} as const;

function reportImage(input: Shape, context: InferenceContext): void {
  const kind = isSignal(input) ? "signal" : "image";
  const sizes = writtenAxes(input);
  context.report("NET2003", {
    message:
      `${context.title} needs features [N, F] but receives ` +
      `${kind === "image" ? "an" : "a"} ${kind} ${formatShape(input)}`,
    label: `expected 2 axes, got ${sizes.length}`,
    axis: "rank",
    notes: [
      `flattened, the ${kind} has ${sizes.slice(1).join("*")} = ${elementCount(input)} features`,
    ],
    fixes: [context.insertBefore("flatten -> ", "insert `flatten` before it")],
  });
}

function reportFeatures(declared: number, actual: number, context: InferenceContext): void {
  const inputs = context.inputsWhere(
    (shape) => !isSequence(shape) && elementCount(shape) === declared,
  );
  const channels = context.lastImage?.channels ?? 0;
  const side = squareSide(declared, channels);
  const fixes = [context.removeArgument("in", `drop \`in=${declared}\` (${actual} is inferred)`)];
  if (side) {
    const pool = `adaptive_avgpool(${side})`;
    fixes.push(
      context.insertBefore(`${pool} -> `, `insert \`${pool}\` before \`flatten\``, "flatten"),
    );
  }
  context.report("NET2002", {
    message: `${context.title} declares in=${declared} but receives ${plural(actual, "feature")}`,
    at: "in",
    label: `expected ${declared}` + (side ? ` = ${channels}*${side}*${side}` : ""),
    axis: side ? "space" : "channels",
    notes: inputs ? [`${inputs} give exactly ${declared}`] : [],
    fixes,
  });
}

/**
 * The side of the square image with this many channels and `features` elements, if there is one.
 */
function squareSide(features: number, channels: number): number | undefined {
  const side = Math.sqrt(features / channels);
  return channels > 0 && Number.isInteger(side) ? side : undefined;
}
