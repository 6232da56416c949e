import type { AnyNode, Node, OpKind } from "../ir/graph.js";
import { once } from "../ir/once.js";
import { differsByAdapter } from "../plan/choices.js";
import type { PlacedGraph, Plan } from "../plan/plan.js";
import { lowerAttention, lowerAttentionGradient } from "./attention.js";
import { lowerConcatenate } from "./channels.js";
import {
  lowerAccuracy,
  lowerClassification,
  lowerCrossEntropy,
  lowerCrossEntropyGradient,
} from "./classification.js";
import { LoweringContext } from "./context.js";
import { lowerConvolution, lowerInputGradient } from "./contraction.js";
import { lowerChannelWindowSum, lowerPointwise, lowerReshape } from "./elementwise.js";
import { exportPredictions, importBatch } from "./ends.js";
import { lowerDetectionLoss, lowerDetectionLossGradient } from "./detection.js";
import { lowerDice, lowerDiceGradient, lowerDiceSums, lowerDiceSumsGradient } from "./dice.js";
import { lowerGroupNormalize, lowerGroupNormalizeGradient } from "./group-normalize.js";
import { lowerMatmul } from "./matmul.js";
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
  lowerMaxUnpoolGradient,
} from "./pool.js";
import {
  lowerBatchSums,
  lowerChannelSum,
  lowerElementLoss,
  lowerExampleSum,
  lowerSoftmax,
  lowerSoftmaxGradient,
} from "./reduce.js";
import { lowerAdjustLossScale, lowerScaleGradient } from "./loss-scale.js";
import {
  lowerPixelCrossEntropy,
  lowerPixelCrossEntropyGradient,
  lowerPixelHits,
  lowerPixelOverlaps,
} from "./pixel-classification.js";
import { lowerEmbedding, lowerEmbeddingGradient } from "./embedding.js";
import { lowerLabelMean, lowerLabelMeanGradient, lowerOneHot } from "./labels.js";
import { lowerExtend, lowerExtendGradient } from "./extend.js";
import { lowerReduce, lowerSpread } from "./reduce-axes.js";
import { lowerResample, lowerResampleGradient } from "./resample.js";
import {
  lowerBroadcast,
  lowerJoinChannels,
  lowerRearrange,
  lowerRearrangeGradient,
} from "./rearrange.js";
import { inPlanes, type StepDraft } from "./step-draft.js";
import { lowerSquareSum } from "./square-sum.js";
import { lowerTable } from "./table.js";
import { lowerSumGradients, lowerUpdate } from "./update.js";
import { lowerWeightGradient } from "./weight-gradient.js";

/**
 * How each primitive becomes dispatches: which kernel, over which memory, with which constants. The
 * counterpart of ops/, which says what a primitive computes. A record typed by OpKind, so that a
 * missing rule does not compile.
 */
const lowerings: {
  readonly [Kind in OpKind]: Lowering<Kind>;
} = {
  convolution: lowerConvolution,
  convolutionInputGradient: lowerInputGradient,
  convolutionWeightGradient: lowerWeightGradient,
  pointwise: lowerPointwise,
  maxPool: lowerMaxPool,
  maxPoolGradient: lowerMaxPoolGradient,
  maxUnpool: lowerMaxPoolGradient,
  maxUnpoolGradient: lowerMaxUnpoolGradient,
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
  resample: lowerResample,
  resampleGradient: lowerResampleGradient,
  extend: lowerExtend,
  extendGradient: lowerExtendGradient,
  reduce: lowerReduce,
  spread: lowerSpread,
  table: lowerTable,
  reshape: lowerReshape,
  rearrange: lowerRearrange,
  rearrangeGradient: lowerRearrangeGradient,
  joinChannels: lowerJoinChannels,
  broadcast: lowerBroadcast,
  embedding: lowerEmbedding,
  embeddingGradient: lowerEmbeddingGradient,
  matmul: lowerMatmul,
  attention: lowerAttention,
  attentionGradient: lowerAttentionGradient,
  squareSum: lowerSquareSum,
  sumGradients: lowerSumGradients,
  scaleGradient: lowerScaleGradient,
  adjustLossScale: lowerAdjustLossScale,
  update: lowerUpdate,
  elementLoss: lowerElementLoss,
  exampleSum: lowerExampleSum,
  detectionLoss: lowerDetectionLoss,
  detectionLossGradient: lowerDetectionLossGradient,
  dice: lowerDice,
  diceGradient: lowerDiceGradient,
  diceSums: lowerDiceSums,
  diceSumsGradient: lowerDiceSumsGradient,
  pixelCrossEntropy: lowerPixelCrossEntropy,
  pixelCrossEntropyGradient: lowerPixelCrossEntropyGradient,
  pixelHits: lowerPixelHits,
  oneHot: lowerOneHot,
  labelMean: lowerLabelMean,
  labelMeanGradient: lowerLabelMeanGradient,
  pixelOverlaps: lowerPixelOverlaps,
};

type Lowering<Kind extends OpKind> = (
  context: LoweringContext,
  node: Node<Kind>,
) => readonly StepDraft[];

/** A node with its dispatches. */
export interface LoweredNode {
  readonly node: AnyNode;
  readonly steps: readonly StepDraft[];
}

/** A plan's dispatches, in the graph's order. */
export interface LoweredList {
  readonly plan: Plan;
  /** Bring in the batch. */
  readonly imports: readonly StepDraft[];
  readonly nodes: readonly LoweredNode[];
  /** Take out the predictions. */
  readonly exports: readonly StepDraft[];
}

export function lowerPlan(plan: Plan): LoweredList {
  const context = new LoweringContext(plan);
  const { imports, steps, exports } = once(plan.common, ["lowered"], () =>
    lowerCommon(plan.common),
  );
  const nodes = plan.graph.nodes.map((node) => {
    return { node, steps: steps.get(node) ?? lowerNode(context, node) };
  });
  return { plan, imports, nodes, exports };
}

/** The dispatches that are the same for all adapters. */
function lowerCommon(common: PlacedGraph) {
  const context = new LoweringContext(common);
  const nodes = common.graph.nodes.filter((node) => !differsByAdapter(node, common.uses));
  return {
    imports: importBatch(context),
    steps: new Map(nodes.map((node) => [node, lowerNode(context, node)])),
    exports: exportPredictions(context),
  };
}

export function lowerNode(context: LoweringContext, node: AnyNode): readonly StepDraft[] {
  const lower = lowerings[node.kind] as Lowering<OpKind>;
  const { maxComputeWorkgroupsPerDimension: most } = context.plan.limits;
  return lower(context, node).flatMap((step) => inPlanes(step, most));
}
