import { type ArgumentTranslation, each, literalNumber } from "../diagnostics/alias.js";
import { imageShape } from "../ir/shape.js";
import { float } from "../calls/argument-types.js";
import { withDefault } from "../calls/signature.js";
import { defineLayer, type InferenceContext } from "./layer.js";
import { refuseSequence } from "./rules.js";
import { addAffine, addStatistic, normalizationArguments } from "./normalization.js";

/** Keras' momentum says how much is kept, netc's how far the statistics move. */
const keptShare: ArgumentTranslation = {
  value(value) {
    const kept = literalNumber(value);
    return kept === undefined ? undefined : String(counterpartOf(kept));
  },
  note: "`momentum` of Keras is the share that is kept: here it is 1 - momentum",
};

export const batchnorm = defineLayer({
  name: "batchnorm",
  aliases: [
    ...["BatchNorm2d", "BatchNorm1d", "batch_norm", "batchnorm2d", "batchnorm1d", "bn"],
    ...each(["BatchNormalization", "batch_normalization"], {
      defaults: { momentum: "0.01", eps: "1e-3" },
      translates: { momentum: keptShare },
    }),
    {
      name: "BatchNorm",
      differs:
        "Caffe's has no weight and bias, and Caffe and Flax count `momentum` as what is kept",
    },
  ],
  summary: "batch normalization: mean 0 and variance 1 for each channel over the batch",
  documentation: `
\`y = weight[c] * (x - mean[c]) / sqrt(variance[c] + eps) + bias[c]\` (Ioffe and Szegedy, 2015).
Input and output have the same shape, an image \`[N, C, H, W]\` or features \`[N, C]\`.

- In training, mean and (biased) variance are those of the step's examples, over batch, rows and
  columns. The running statistics follow:
  \`running = (1 - momentum) * running + momentum * measured\`, with the variance divided by
  \`n - 1\`. Keras and TensorFlow define momentum the other way round: their 0.99 is 0.01 in netc.
- Evaluation and prediction use the running statistics. They cost almost nothing, because netc folds
  them into the convolution before the layer.
- Parameters: \`weight [C]\` (ones) and \`bias [C]\` (zeros), unless \`affine=false\`. Statistics:
  \`running_mean [C]\` (zeros) and \`running_var [C]\` (ones). They are saved and loaded with the
  weights, but are not trained and not counted as parameters.
- The layer before needs no bias, because the mean removes it: write \`bias=false\` there.
- A channel with a single value (features of one example) has no variance. PyTorch raises an error.
  netc gives \`y = bias\`, moves the running mean and keeps the running variance, so a last batch of
  one example does not end a run.
`,
  positional: [],
  arguments: {
    momentum: withDefault(
      float({ minimum: 0, maximum: 1 }),
      0.1,
      "share by which the running statistics move in a step",
    ),
    ...normalizationArguments,
  },
  samples: [
    { spec: "batchnorm", input: [64, 14, 14], output: [64, 14, 14] },
    { spec: "batchnorm(momentum=0.01, eps=1e-3)", input: [10], output: [10] },
    { spec: "batchnorm(affine=false)", input: [5, 3, 4], output: [5, 3, 4] },
  ],

  infer(input, { momentum }, context) {
    if (!refuseSequence(input, context)) return undefined;
    if (momentum >= KEPT_ELSEWHERE && momentum < 1) reportMomentum(momentum, context);
    return input;
  },

  lower(input, values, context) {
    const { builder, origin } = context;
    const { channels } = imageShape(input.shape);
    const affine = addAffine(channels, values, context);
    const running = [
      addStatistic("running_mean", channels, 0, context),
      addStatistic("running_var", channels, 1, context),
    ];
    const { momentum, eps: epsilon } = values;
    const statistics = builder.addAll(
      "channelStatistics",
      [input, ...running],
      { momentum },
      origin,
    );
    return builder.add("normalize", [input, ...statistics, ...affine], { epsilon }, origin);
  },
});

/** Where a momentum is larger, it is rather what other frameworks keep than what is to move. */
const KEPT_ELSEWHERE = 0.9;

function reportMomentum(momentum: number, context: InferenceContext): void {
  const counterpart = counterpartOf(momentum);
  context.report("NET2042", {
    message:
      `${context.title}: ` +
      `momentum=${momentum} moves the running statistics nearly all the way in every step`,
    at: "momentum",
    label: `keeps ${counterpart} of what was measured before`,
    notes: [
      "where a momentum says how much is kept (Keras, TensorFlow, " +
        `Caffe), ${momentum} is ${counterpart} here`,
    ],
    fixes: [
      context.replaceArgument(
        "momentum",
        `momentum=${counterpart}`,
        `write \`momentum=${counterpart}\``,
      ),
    ],
  });
}

/** Of a share that is kept the one that is replaced, and the other way round. */
function counterpartOf(momentum: number): number {
  return Number((1 - momentum).toPrecision(6));
}
