import type { AbsentNames } from "../calls/suggestion.js";

const onlyImages =
  "netc has layers of images [N, C, H, W] and rows [N, C]; a sequence is an image of height 1";
const noAttention = "netc has no attention";
const noRecurrence = "netc has no recurrent layers";
const noTransposing = "netc has no layer that changes the order of axes: [N, C, H, W] is fixed";
const noParts = "a value cannot be cut; two layers that read the same value make two parts";
const noArithmetic = "netc computes with `add`, `multiply` and `concat`";
const noMatrices = "products of matrices are those of `linear` and `conv` with their weights";
const noDropPath = "netc has no stochastic depth; `dropout` zeroes single elements";
const channelDropout = "`dropout` zeroes single elements; netc has no dropout of whole channels";
const noGates =
  "two `conv` or `linear` of one value, one of them followed by `sigmoid`, and `multiply`";
const depthwise = "`conv(C, kernel=3, groups=C)` of C channels is depthwise";
const zerosOnly = "`pad` adds zeros; netc has no other padding";
const globalMaximum = "`maxpool` with a kernel of the image's size takes each channel's maximum";
const enlarge = "`conv_transpose` or `upsample` followed by `conv` makes an image larger";
const oneByOne = "values keep their axes: `flatten` or `reshape` gives another shape";
const reductions = "`global_avgpool` takes the mean of each channel";
const dataSide = "the `data` declaration normalizes images: `normalize(mean=..., std=...)`";

/** Layers of other frameworks that netc does not have, in plain letters, and what to do instead. */
export const absentLayers: AbsentNames = {
  // Activations
  prelu: "`leaky_relu(0.25)` has the same form, with a slope that is not learned",
  rrelu: "`leaky_relu(0.23)` has the mean of its slopes",
  selu: "`elu` is near to it; scale what follows by 1.05",
  celu: "`elu` is the same for an `alpha` of 1",
  glu: noGates,
  swiglu: noGates,
  geglu: noGates,
  logsoftmax: "`cross_entropy` takes logits: end in `linear`",
  softmin: "`softmax` of a layer whose weights can take the other sign",
  logsigmoid: "`bce_with_logits` takes logits: end in `linear`",
  softsign: "`tanh` has a similar form",
  maxout: "netc has no maximum of several values",
  activation: "write the activation as a layer: `-> relu`",
  // Convolutions
  ...all(["conv1d", "conv3d", "convtranspose1d", "convtranspose3d"], onlyImages),
  ...all(
    ["separableconv2d", "separableconv"],
    `${depthwise}, and a \`conv(out, kernel=1)\` follows`,
  ),
  ...all(["depthwiseconv2d", "depthwiseconv", "dwconv", "depthwise"], depthwise),
  pointwise: "`conv(out, kernel=1)` is pointwise",
  ...all(["deformconv2d", "locallyconnected2d"], "netc has `conv` with one kernel for all places"),
  ...all(["unfold", "fold", "im2col"], "netc gives no access to windows; `conv` reads them"),
  // Pools
  ...all(["maxpool1d", "maxpool3d", "avgpool1d", "avgpool3d"], onlyImages),
  ...all(["globalmaxpool", "globalmaxpool2d", "globalmaxpooling2d", "gmp"], globalMaximum),
  ...all(["adaptivemaxpool", "adaptivemaxpool2d"], `${globalMaximum}; or \`adaptive_avgpool\``),
  ...all(["lppool2d", "fractionalmaxpool2d"], "pools are `maxpool` and `avgpool`"),
  maxunpool2d: enlarge,
  // Sizes and order
  ...all(["pixelshuffle", "depthtospace"], enlarge),
  ...all(["pixelunshuffle", "spacetodepth"], "`conv(out, kernel=2, stride=2)` makes it smaller"),
  channelshuffle: "`conv(C, kernel=1)` mixes the channels of all groups",
  ...all(["permute", "transpose", "swapaxes", "rearrange"], noTransposing),
  ...all(["split", "chunk", "slice", "narrow", "select", "gather"], noParts),
  ...all(["squeeze", "unsqueeze", "expand", "repeatvector"], oneByOne),
  ...all(["cropping2d", "crop"], "`conv` and `pad` change a size; netc has no cropping layer"),
  ...all(["reflectionpad2d", "replicationpad2d", "circularpad2d"], zerosOnly),
  // Arithmetic
  ...all(["sub", "subtract", "minus", "div", "divide", "pow", "sqrt", "exp", "abs"], noArithmetic),
  ...all(["maximum", "minimum", "average"], noArithmetic),
  ...all(["mean", "reducemean"], reductions),
  ...all(["matmul", "bmm", "mm", "dot", "einsum", "bilinear"], noMatrices),
  lambda: "netc has no functions of your own; a `block` puts layers together",
  // Normalization and regularization
  ...all(
    ["instancenorm", "instancenorm1d", "instancenorm2d", "instancenorm3d", "instancenormalization"],
    "`groupnorm(C)`, with as many groups as channels, " +
      "normalizes each channel of an image by itself",
  ),
  rmsnorm: "`layernorm` also takes off the mean",
  ...all(["batchnorm3d", "syncbatchnorm"], "`batchnorm` takes images and rows, on one device"),
  ...all(["weightnorm", "spectralnorm"], "netc has no norms of weights; `batchnorm` is of values"),
  ...all(["rescaling", "normalization", "normalize"], dataSide),
  ...all(["dropout1d", "dropout2d", "dropout3d", "spatialdropout2d", "dropblock"], channelDropout),
  alphadropout: "`dropout` zeroes elements",
  ...all(["droppath", "stochasticdepth", "dropconnect"], noDropPath),
  ...all(["gaussiannoise", "gaussiandropout"], "`dropout` is the only noise in a network"),
  // Sequences
  ...all(["lstm", "gru", "rnn", "simplernn", "bidirectional", "timedistributed"], noRecurrence),
  embedding: "netc takes images and rows of numbers, not indices",
  ...all(["attention", "selfattention", "multiheadattention", "mha", "mhsa"], noAttention),
  ...all(["transformer", "transformerencoder", "transformerencoderlayer", "vit"], noAttention),
  ...all(["positionalencoding", "positionalembedding"], noAttention),
  // Structure
  sequential: "layers are written one after the other: `conv(8, kernel=3) -> relu -> maxpool(2)`",
  ...all(
    ["squeezeexcite", "squeezeexcitation", "seblock", "se"],
    "`global_avgpool -> conv(8, kernel=1) -> relu -> conv(C, kernel=1) -> sigmoid -> multiply(x)`",
  ),
};

function all(names: readonly string[], instead: string): AbsentNames {
  return Object.fromEntries(names.map((name) => [name, instead]));
}
