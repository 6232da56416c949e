import { threshold } from "./threshold.js";
import { sum } from "./sum.js";
import { softsign } from "./softsign.js";
import { softshrink } from "./softshrink.js";
import { softmin } from "./softmin.js";
import { slice } from "./slice.js";
import { selu } from "./selu.js";
import { prelu } from "./prelu.js";
import { pixelUnshuffle } from "./pixel-unshuffle.js";
import { pixelShuffle } from "./pixel-shuffle.js";
import { min } from "./min.js";
import { mean } from "./mean.js";
import { max } from "./max.js";
import { lpPool } from "./lp-pool.js";
import { logsumexp } from "./logsumexp.js";
import { logsigmoid } from "./logsigmoid.js";
import { logSoftmax } from "./log-softmax.js";
import { instancenorm } from "./instancenorm.js";
import { hardshrink } from "./hardshrink.js";
import { glu } from "./glu.js";
import { crop } from "./crop.js";
import { channelShuffle } from "./channel-shuffle.js";
import { celu } from "./celu.js";
import { adaptiveAvgpool } from "./adaptive-avgpool.js";
import { adaptiveMaxpool } from "./adaptive-maxpool.js";
import { add } from "./add.js";
import { attention } from "./attention.js";
import { avgpool } from "./avgpool.js";
import { batchnorm } from "./batchnorm.js";
import { clip } from "./clip.js";
import { concat } from "./concat.js";
import { conv } from "./conv.js";
import { convTranspose } from "./conv-transpose.js";
import { dropout } from "./dropout.js";
import { stochasticDepth } from "./stochastic-depth.js";
import { elu } from "./elu.js";
import { embedding } from "./embedding.js";
import { flatten } from "./flatten.js";
import { globalAvgpool } from "./global-avgpool.js";
import { gelu } from "./gelu.js";
import { groupnorm } from "./groupnorm.js";
import { hardsigmoid } from "./hardsigmoid.js";
import { hardswish } from "./hardswish.js";
import { identity } from "./identity.js";
import type { LayerDefinition } from "./layer.js";
import { layernorm } from "./layernorm.js";
import { leakyRelu } from "./leaky-relu.js";
import { linear } from "./linear.js";
import { lrn } from "./lrn.js";
import { matmul } from "./matmul.js";
import { maxUnpool } from "./max-unpool.js";
import { maxpool } from "./maxpool.js";
import { mish } from "./mish.js";
import { multiply } from "./multiply.js";
import { pad } from "./pad.js";
import { patches } from "./patches.js";
import { permute } from "./permute.js";
import { relu } from "./relu.js";
import { relu6 } from "./relu6.js";
import { reshape } from "./reshape.js";
import { scale } from "./scale.js";
import { sigmoid } from "./sigmoid.js";
import { silu } from "./silu.js";
import { softmax } from "./softmax.js";
import { softplus } from "./softplus.js";
import { stop } from "./stop.js";
import { tanh } from "./tanh.js";
import { token } from "./token.js";
import { signal } from "./signal.js";
import { tokens } from "./tokens.js";
import { transpose } from "./transpose.js";
import { upsample } from "./upsample.js";

export type { LayerDefinition, LayerSample } from "./layer.js";

/** Every layer that a spec may use. A new layer is one file and one line here. */
export const layers: readonly LayerDefinition[] = [
  conv,
  convTranspose,
  linear,
  relu,
  leakyRelu,
  prelu,
  relu6,
  elu,
  selu,
  celu,
  gelu,
  silu,
  mish,
  hardswish,
  softplus,
  softsign,
  softshrink,
  hardshrink,
  threshold,
  sigmoid,
  logsigmoid,
  hardsigmoid,
  tanh,
  clip,
  glu,
  maxpool,
  avgpool,
  lpPool,
  adaptiveAvgpool,
  adaptiveMaxpool,
  maxUnpool,
  globalAvgpool,
  upsample,
  pad,
  lrn,
  batchnorm,
  groupnorm,
  instancenorm,
  layernorm,
  scale,
  dropout,
  stochasticDepth,
  flatten,
  reshape,
  signal,
  softmax,
  identity,
  stop,
  add,
  multiply,
  concat,
  slice,
  crop,
  channelShuffle,
  pixelShuffle,
  pixelUnshuffle,
  sum,
  mean,
  max,
  min,
  logsumexp,
  softmin,
  logSoftmax,
  embedding,
  patches,
  tokens,
  token,
  attention,
  matmul,
  transpose,
  permute,
];

export function findLayer(name: string): LayerDefinition | undefined {
  return layers.find((layer) => layer.name === name);
}
