/**
 * What each layer is in operators of ONNX, opset 17, while predicting: one table. None is refused.
 */
import { chosenAxis } from "../parts.js";
import type { LayerNodes } from "./node-writer.js";
import * as activations from "./activations.js";
import { conv, convTranspose, linear } from "./convolutions.js";
import { formula } from "./formulas.js";
import { batchnorm, groupnorm, instancenorm, layernorm, lrn, scale } from "./normalizations.js";
import {
  channelShuffle,
  crop,
  glu,
  pixelShuffle,
  pixelUnshuffle,
  reduction,
  slice,
} from "./parts.js";
import { pad } from "./padding.js";
import { adaptiveAvgpool, adaptiveMaxpool, avgpool } from "./pools.js";
import { globalAvgpool, lpPool, maxpool } from "./pools.js";
import { upsample } from "./resampling.js";
import {
  attention,
  embedding,
  matmul,
  parameter,
  patches,
  permute,
  token,
  signal,
  tokens,
  transpose,
} from "./sequences.js";

/** Writes the nodes of one layer. */
export type OnnxLayer = (nodes: LayerNodes) => void;

export const onnxLayers: Readonly<Record<string, OnnxLayer>> = {
  conv,
  conv_transpose: convTranspose,
  linear,

  relu: activations.plain("Relu"),
  leaky_relu: activations.leakyRelu,
  relu6: activations.relu6,
  elu: activations.elu,
  gelu: activations.gelu,
  silu: activations.silu,
  mish: activations.mish,
  hardswish: activations.plain("HardSwish"),
  softplus: activations.softplus,
  sigmoid: activations.plain("Sigmoid"),
  hardsigmoid: activations.hardsigmoid,
  tanh: activations.plain("Tanh"),
  clip: activations.clip,
  softmax: (nodes) => nodes.end("Softmax", [nodes.input()], { axis: nodes.call.channelAxis }),

  prelu: activations.prelu,
  selu: activations.plain("Selu"),
  celu: activations.celu,
  softsign: activations.plain("Softsign"),
  softshrink: activations.softshrink,
  hardshrink: activations.hardshrink,
  threshold: activations.threshold,
  logsigmoid: activations.logsigmoid,
  glu,
  softmin: activations.softmin,
  log_softmax: (nodes) =>
    nodes.end("LogSoftmax", [nodes.input()], { axis: nodes.call.channelAxis }),

  maxpool,
  avgpool,
  adaptive_avgpool: adaptiveAvgpool,
  adaptive_maxpool: adaptiveMaxpool,
  global_avgpool: globalAvgpool,
  lp_pool: lpPool,
  upsample,
  pad,
  crop,
  slice,
  channel_shuffle: channelShuffle,
  pixel_shuffle: pixelShuffle,
  pixel_unshuffle: pixelUnshuffle,

  sum: reduction("ReduceSum"),
  mean: reduction("ReduceMean"),
  max: reduction("ReduceMax"),
  min: reduction("ReduceMin"),
  logsumexp: reduction("ReduceLogSumExp"),

  lrn,
  batchnorm,
  groupnorm,
  instancenorm,
  layernorm,
  scale,

  dropout: (nodes) => nodes.pass(),
  stochastic_depth: (nodes) => nodes.pass(),
  identity: (nodes) => nodes.pass(),
  stop: (nodes) => nodes.pass(),
  flatten,
  reshape,

  add: (nodes) => nodes.end("Add", [nodes.input(0), nodes.input(1)]),
  multiply: (nodes) => nodes.end("Mul", [nodes.input(0), nodes.input(1)]),
  concat,
  matmul,

  embedding,
  parameter,
  patches,
  signal,
  tokens,
  token,
  transpose,
  permute,
  attention,

  let: formula,
};

function flatten(nodes: LayerNodes): void {
  if (nodes.call.rank > 2) nodes.end("Flatten", [nodes.input()], { axis: 1 });
  else nodes.pass();
}

/** A size of 0 keeps that of the input: the batch. */
function reshape(nodes: LayerNodes): void {
  const shape = nodes.integers("shape", [0, ...nodes.call.output.slice(1).map(Number)]);
  nodes.end("Reshape", [nodes.input(), shape]);
}

function concat(nodes: LayerNodes): void {
  const parts = nodes.call.inputs.map((_, index) => nodes.input(index));
  const axis = chosenAxis(nodes.call, "axis");
  if (parts.length === 1) nodes.pass();
  else nodes.end("Concat", parts, { axis });
}
