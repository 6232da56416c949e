import type { Graph, Node, OpKind, Port } from "../ir/graph.js";
import { BATCH, elementCount, formatShape } from "../ir/shape.js";
import { ActivationLayout } from "../layout/activation-layout.js";
import { lowerConcatenate, lowerSlice } from "./channels.js";
import type { LoweringContext } from "./context.js";
import { lowerConvolution, lowerInputGradient } from "./contraction.js";
import { emitReshape, lowerChannelWindowSum, lowerPointwise, lowerReshape } from "./elementwise.js";
import { importBatch } from "./ends.js";
import { lowerGroupNormalize, lowerGroupNormalizeGradient } from "./group-normalize.js";
import {
  lowerChannelStatistics,
  lowerNormalize,
  lowerNormalizeGradient,
  lowerNormalizeScale,
  lowerScaledWeights,
} from "./normalize.js";
import {
  lowerAveragePool,
  lowerAveragePoolGradient,
  lowerMaxPool,
  lowerMaxPoolGradient,
} from "./pool.js";
import {
  lowerAccuracy,
  lowerBatchSums,
  lowerChannelSum,
  lowerClassification,
  lowerCrossEntropy,
  lowerCrossEntropyGradient,
  lowerElementLoss,
  lowerSoftmax,
  lowerSoftmaxGradient,
} from "./reduce.js";
import { lowerAdjustLossScale, lowerScaleGradient } from "./loss-scale.js";
import { lowerResample, lowerResampleGradient } from "./resample.js";
import { lowerSquareSum, lowerSumGradients, lowerUpdate } from "./update.js";
import { lowerWeightGradient } from "./weight-gradient.js";

/**
 * How each primitive becomes dispatches: which kernel, over which memory, with which constants. The
 * counterpart of ops/, which says what a primitive computes. A record typed by OpKind, so that a
 * missing rule does not compile.
 */
const lowerings: {
  readonly [Kind in OpKind]: (context: LoweringContext, node: Node<Kind>) => void;
} = {
  convolution: lowerConvolution,
  convolutionInputGradient: lowerInputGradient,
  convolutionWeightGradient: lowerWeightGradient,
  pointwise: lowerPointwise,
  maxPool: lowerMaxPool,
  maxPoolGradient: lowerMaxPoolGradient,
  averagePool: lowerAveragePool,
  averagePoolGradient: lowerAveragePoolGradient,
  channelWindowSum: lowerChannelWindowSum,
  channelSum: lowerChannelSum,
  channelStatistics: lowerChannelStatistics,
  normalize: lowerNormalize,
  normalizeGradient: lowerNormalizeGradient,
  normalizeScale: lowerNormalizeScale,
  scaledWeights: lowerScaledWeights,
  groupNormalize: lowerGroupNormalize,
  groupNormalizeGradient: lowerGroupNormalizeGradient,
  softmax: lowerSoftmax,
  softmaxGradient: lowerSoftmaxGradient,
  crossEntropy: lowerCrossEntropy,
  crossEntropyGradient: lowerCrossEntropyGradient,
  accuracy: lowerAccuracy,
  classification: lowerClassification,
  batchSums: lowerBatchSums,
  concatenate: lowerConcatenate,
  slice: lowerSlice,
  resample: lowerResample,
  resampleGradient: lowerResampleGradient,
  reshape: lowerReshape,
  squareSum: lowerSquareSum,
  sumGradients: lowerSumGradients,
  scaleGradient: lowerScaleGradient,
  adjustLossScale: lowerAdjustLossScale,
  update: lowerUpdate,
  elementLoss: lowerElementLoss,
};

/**
 * Adds the dispatches of a graph to the context's steps, from the uploaded images to the
 * prediction.
 */
export function lowerGraph(context: LoweringContext): void {
  importBatch(context, context.graph);
  lowerNodes(context);
  exportPredictions(context, context.graph);
}

/**
 * Adds the dispatches of a graph's nodes alone: all there is to one that only updates parameters.
 */
export function lowerNodes(context: LoweringContext): void {
  for (const node of context.graph.nodes) {
    const lower = lowerings[node.kind] as (context: LoweringContext, node: Node) => void;
    context.trace(node, () => lower(context, node));
  }
}

/** Predictions that lie otherwise than in rows of channels are copied there, in PyTorch's order. */
function exportPredictions(context: LoweringContext, { outputs }: Graph): void {
  for (const port of outputs) exportPrediction(context, port);
}

function exportPrediction(context: LoweringContext, port: Port): void {
  const prediction = port.value;
  const storage = context.portStorage(port);
  if (context.piecesOf(prediction)[0] === storage) return;
  emitReshape(context, prediction.origin, {
    label: `prediction ${formatShape(prediction.shape)}`,
    from: prediction,
    storage,
    to: new ActivationLayout([BATCH, elementCount(prediction.shape)]),
  });
}
