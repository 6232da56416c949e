import { type ArgumentAlias, each, literalNumber, literalNumbers } from "../diagnostics/alias.js";

const OPTIMIZERS = [
  ...["sgd", "adam", "adamw", "nadam", "radam", "rmsprop", "adagrad", "adadelta"],
  ...["lion", "lamb", "lars"],
];
const layersWithWeights = [
  ...["conv", "conv_transpose", "linear"],
  ...["batchnorm", "groupnorm", "layernorm"],
];

/**
 * ONNX lists the beginnings of both axes before their ends; netc lists both sides of one axis
 * together.
 */
const onnxSides: Partial<ArgumentAlias> = {
  value: (value) => {
    const sides = literalNumbers(value);
    if (sides?.length !== 4) return literalNumber(value)?.toString();
    const [top, left, bottom, right] = sides;
    return `[${[top, bottom, left, right].join(", ")}]`;
  },
  note: "`pads` of ONNX is [top, left, bottom, right], `padding` is [top, bottom, left, right]",
};

/** A number computed from that of another framework. */
function computed(compute: (value: number) => number): NonNullable<ArgumentAlias["value"]> {
  return (value) => {
    const number = literalNumber(value);
    return number === undefined ? undefined : String(Number(compute(number).toPrecision(6)));
  };
}

/**
 * What other frameworks call an argument. A name alone means the same; see alias.ts for the others.
 */
export const argumentAliases: Readonly<Record<string, readonly (string | ArgumentAlias)[]>> = {
  out: [
    ...["out_channels", "out_features", "filters", "units", "num_output"],
    { name: "channels", differs: "`out` counts the output's channels; the input's are inferred" },
    { name: "features", differs: "`out` counts the output's features; the input's are inferred" },
  ],
  in: ["in_channels", "in_features", "input_dim"],
  kernel: [
    ...["kernel_size", "pool_size", "filter_size", "ksize"],
    { name: "window", differs: "`kernel` is the size of the window in pixels" },
  ],
  stride: [
    ...["strides", "subsample"],
    { name: "step", differs: "`stride` is the distance from one window to the next" },
  ],
  padding: ["pad", { name: "pads", ...onnxSides }],
  dilation: ["dilation_rate", "dilate"],
  groups: ["group", "num_groups"],
  bias: ["use_bias", "bias_term"],
  init: ["kernel_initializer", "weight_filler", "weight_init", "initializer"],
  bias_init: ["bias_initializer", "bias_filler"],
  lr: [
    { name: "lr_mult", of: layersWithWeights },
    { name: "learning_rate_factor", of: layersWithWeights },
    { name: "base_lr", of: OPTIMIZERS },
    { name: "learning_rate", of: OPTIMIZERS },
    {
      name: "learning_rate",
      of: layersWithWeights,
      differs: "`lr` of a layer is a factor of the recipe's learning rate",
    },
  ],
  bias_lr: ["bias_lr_mult"],
  decay: [
    ...["decay_mult", "weight_decay_factor"],
    {
      name: "weight_decay",
      differs: "`decay` of a layer is a factor of the recipe's weight decay",
    },
  ],
  bias_decay: ["bias_decay_mult"],
  affine: ["elementwise_affine"],
  eps: ["epsilon", "variance_epsilon"],
  ceil: ["ceil_mode"],
  count_padding: ["count_include_pad"],
  divisor: ["divisor_override"],
  mode: [
    { name: "interpolation", of: ["resize", "letterbox"] },
    { name: "padding_mode", of: ["pad"] },
  ],
  value: [
    { name: "fill", of: ["pad"] },
    {
      name: "fill",
      of: ["letterbox"],
      differs: "torchvision's `fill` goes to 255, `value` from 0, black, to 1, white",
    },
  ],
  num_ops: ["n", "N"],
  magnitude: ["m", "M"],
  size: [
    "output_size",
    { name: "local_size", of: ["lrn"] },
    { name: "n", of: ["lrn"] },
    {
      name: "depth_radius",
      of: ["lrn"],
      value: computed((radius) => 2 * radius + 1),
      note: "`depth_radius` counts the channels on one side: `size` is 2*depth_radius + 1",
    },
  ],
  scale: [{ name: "scale_factor", of: ["upsample"] }],
  rate: [
    ...["p", "prob", "probability", "drop_prob", "drop_rate", "dropout_ratio"],
    {
      name: "keep_prob",
      value: computed((kept) => 1 - kept),
      note: "`keep_prob` is the share that is kept: `rate` is 1 - keep_prob",
    },
  ],
  probability: ["p", "prob"],
  probabilities: ["p", "probs", "weights"],
  slope: ["negative_slope", { name: "alpha", of: ["leaky_relu"] }],
  label_smoothing: ["smoothing"],
  ignore: ["ignore_index"],
  heads: ["num_heads", "n_heads", "nhead", "n_head"],
  causal: ["is_causal", "use_causal_mask"],
  over: each(["dim", "axis"], {
    differs: "numbers are those of `[N, C, H, W]` and `[N, T, C]`, and the axes stay with size 1",
  }),
  axis: [{ name: "dim", differs: "axes have names: `channels`, `rows`, `columns` and `tokens`" }],
  class_weights: [
    ...["weight", "weights"],
    {
      name: "class_weight",
      differs: "Keras divides the sum by the number of examples, netc by the sum of their weights",
    },
  ],
  weight_decay: [
    { name: "wd", of: OPTIMIZERS },
    { name: "decay", differs: "`decay` of Keras lowers the learning rate; here a `schedule` does" },
    { name: "l2", differs: "`l2(x)` of Keras is a weight decay of 2x" },
  ],
  beta1: ["beta_1"],
  beta2: ["beta_2"],
  alpha: [
    { name: "rho", of: ["rmsprop"] },
    { name: "rms_decay", of: ["rmsprop"] },
  ],
  std: ["stddev", "sigma", "deviation"],
  every: ["step_size", "stepsize", "period"],
  at: ["milestones", "stepvalue"],
  first: [
    { name: "T_0", of: ["cosine_restarts"] },
    { name: "period", of: ["cosine_restarts"] },
    { name: "first_decay_steps", of: ["cosine_restarts"] },
  ],
  growth: [
    { name: "T_mult", of: ["cosine_restarts"] },
    { name: "t_mul", of: ["cosine_restarts"] },
  ],
  loss_scale: ["init_scale", "initial_scale", "scale"].map((name) => ({
    name,
    differs: "a number alone is a fixed scale; with `growth_factor=2` it starts a dynamic one",
  })),
  from: [
    "start_factor",
    {
      name: "div_factor",
      of: ["onecycle"],
      value: computed((divisor) => 1 / divisor),
      note: "`div_factor` divides the learning rate: `from` is 1 / div_factor",
    },
  ],
  peak: ["pct_start"],
  to: [
    "end_factor",
    ...["eta_min", "min_lr", "end_learning_rate", "end", "final"].map((name) => ({
      name,
      differs: `\`${name}\` is a learning rate; \`to\` is a share of the optimizer's \`lr\``,
    })),
  ],
  maximum: ["max_value", "max_pixel_value"],
  holdout: [
    "test_size",
    {
      name: "validation_split",
      differs: "Keras takes the last examples, `holdout` a random share that is always the same",
    },
  ],
};

/** The aliases of an argument that hold in calls of `callee`. */
export function argumentAliasesOf(argument: string, callee: string): readonly ArgumentAlias[] {
  const all = Object.hasOwn(argumentAliases, argument) ? argumentAliases[argument]! : [];
  return all
    .map((alias) => (typeof alias === "string" ? { name: alias } : alias))
    .filter(({ of }) => !of || of.includes(callee));
}
