import type { AbsentNames } from "../calls/suggestion.js";

const NO_VOLUMES =
  "netc has images [N, C, H, W], signals [N, C, L], sequences [N, T, C] and features [N, C]; " +
  "slices of a volume can be channels of an image";
const TRANSFORMER =
  "layers make it: `residual { layernorm -> attention(8) }` and then " +
  "`residual { layernorm -> linear(4 * width) -> gelu -> linear(width) }`";
const POSITIONS = "`parameter positions: f32[T, C] init normal(0.02)`, and `add(positions)`";
const NO_RECURRENCE = "netc has no recurrent layers";
const NO_PARTS = "`slice(channels, 0, 16)` takes a part; two of a named value make two parts";
const NO_ARITHMETIC = "formulas compute with values: `let y = exp(a) - b`";
const NO_MATRICES =
  "`matmul` multiplies the matrices of two values; `linear` and `conv` have weights";
const DROPPED = "`dropout` zeroes elements or whole channels, `stochastic_depth` whole examples";
const NO_GATES =
  "two `linear` of one value, one of them followed by its activation, and `multiply`";
const DEPTHWISE = "`conv(C, kernel=3, groups=C)` of C channels is depthwise";
const GLOBAL_MAXIMUM = "`adaptive_maxpool(1)` takes each channel's maximum";
const ONE_BY_ONE = "values keep their axes: `flatten` or `reshape` gives another shape";
const DATA_SIDE = "the `data` declaration normalizes images: `normalize(mean=..., std=...)`";

/** Layers of other frameworks that netc does not have, in plain letters, and what to do instead. */
export const absentLayers: AbsentNames = {
  // Activations
  rrelu: "`leaky_relu(0.23)` has the mean of its slopes",
  swiglu: NO_GATES,
  geglu: NO_GATES,
  maxout: "`let y = max(a, b)` is the largest of several values",
  return: "a model or block gives its last value; in a model, `output logits` names others",
  output: "`output logits` is not a call: write it without parentheses",
  activation: "write the activation as a layer: `-> relu`",
  // Convolutions
  ...all(["conv3d", "convtranspose3d"], NO_VOLUMES),
  ...all(
    ["separableconv2d", "separableconv"],
    `${DEPTHWISE}, and a \`conv(out, kernel=1)\` follows`,
  ),
  ...all(["depthwiseconv2d", "depthwiseconv", "dwconv", "depthwise"], DEPTHWISE),
  pointwise: "`conv(out, kernel=1)` is pointwise",
  ...all(["deformconv2d", "locallyconnected2d"], "netc has `conv` with one kernel for all places"),
  ...all(["unfold", "fold", "im2col"], "netc gives no access to windows; `conv` reads them"),
  // Pools
  ...all(["maxpool3d", "avgpool3d"], NO_VOLUMES),
  ...all(["gmp"], GLOBAL_MAXIMUM),
  ...all(["fractionalmaxpool2d"], "pools are `maxpool` and `avgpool`"),
  // Sizes and order
  rearrange: "`transpose`, `permute` and `reshape` change the order of axes",
  ...all(["select", "gather"], NO_PARTS),
  ...all(["squeeze", "unsqueeze", "expand", "repeatvector"], ONE_BY_ONE),
  // Arithmetic
  ...all(["sub", "subtract", "minus", "div", "divide", "pow", "sqrt", "exp", "abs"], NO_ARITHMETIC),
  ...all(["maximum", "minimum", "average"], NO_ARITHMETIC),
  ...all(["dot", "einsum", "bilinear"], NO_MATRICES),
  lambda: "`fn` declares a function of values, `block` puts layers together",
  // Normalization and regularization
  ...all(
    ["instancenorm3d", "instancenormalization"],
    "`groupnorm(C)`, with as many groups as channels, " +
      "normalizes each channel of an image by itself",
  ),
  rmsnorm: "`let y = x / sqrt(mean(x^2, over=channels) + 1e-6)`, and `scale(bias=false)`",
  ...all(["batchnorm3d", "syncbatchnorm"], "`batchnorm` takes images and rows, on one device"),
  ...all(["weightnorm", "spectralnorm"], "netc has no norms of weights; `batchnorm` is of values"),
  ...all(["rescaling", "normalization", "normalize"], DATA_SIDE),
  ...all(["dropout3d", "dropblock", "dropconnect"], DROPPED),
  alphadropout: "`dropout` zeroes elements",
  ...all(["gaussiannoise", "gaussiandropout"], "`dropout` is the only noise in a network"),
  // Sequences
  ...all(["lstm", "gru", "rnn", "simplernn", "bidirectional", "timedistributed"], NO_RECURRENCE),
  ...all(["transformer", "transformerencoder", "transformerencoderlayer", "vit"], TRANSFORMER),
  ...all(["positionalencoding", "positionalembedding"], POSITIONS),
  embeddingbag: "`embedding(width) -> mean(tokens)` is the mean of an example's rows",
  // Structure
  residual: "its layers follow in a block: `residual { ... }` or `residual(drop=0.1) { ... }`",
  sequential: "layers are written one after the other: `conv(8, kernel=3) -> relu -> maxpool(2)`",
  ...all(
    ["squeezeexcite", "squeezeexcitation", "seblock", "se"],
    "`global_avgpool -> conv(8, kernel=1) -> relu -> conv(C, kernel=1) -> sigmoid -> multiply(x)`",
  ),
};

function all(names: readonly string[], instead: string): AbsentNames {
  return Object.fromEntries(names.map((name) => [name, instead]));
}
