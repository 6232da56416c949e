import type { OpKind } from "../ir/graph.js";
import { accuracy } from "./accuracy.js";
import { adjustLossScale } from "./adjust-loss-scale.js";
import { attention } from "./attention.js";
import { attentionGradient } from "./attention-gradient.js";
import { averagePool } from "./average-pool.js";
import { averagePoolGradient } from "./average-pool-gradient.js";
import { batchSums } from "./batch-sums.js";
import { broadcast } from "./broadcast.js";
import { channelStatistics } from "./channel-statistics.js";
import { channelSum } from "./channel-sum.js";
import { channelWindowSum } from "./channel-window-sum.js";
import { classification } from "./classification.js";
import { concatenate } from "./concatenate.js";
import { convolution } from "./convolution.js";
import { convolutionInputGradient } from "./convolution-input-gradient.js";
import { convolutionWeightGradient } from "./convolution-weight-gradient.js";
import { crossEntropy } from "./cross-entropy.js";
import { crossEntropyGradient } from "./cross-entropy-gradient.js";
import { detectionLoss, detectionLossGradient } from "./detection.js";
import { dice, diceGradient } from "./dice.js";
import { diceSums, diceSumsGradient } from "./dice-sums.js";
import { embedding, embeddingGradient } from "./embedding.js";
import { elementLoss } from "./element-loss.js";
import { exampleSum } from "./example-sum.js";
import { groupNormalize } from "./group-normalize.js";
import { groupNormalizeGradient } from "./group-normalize-gradient.js";
import { labelMean, labelMeanGradient } from "./label-mean.js";
import { oneHot } from "./one-hot.js";
import { joinChannels } from "./join-channels.js";
import { matmul } from "./matmul.js";
import { extend } from "./extend.js";
import { extendGradient } from "./extend-gradient.js";
import { maxPool } from "./max-pool.js";
import { maxPoolGradient } from "./max-pool-gradient.js";
import { maxUnpool, maxUnpoolGradient } from "./max-unpool.js";
import { normalize } from "./normalize.js";
import { normalizeGradient } from "./normalize-gradient.js";
import { normalizeScale } from "./normalize-scale.js";
import type { OpDefinition } from "./op.js";
import { pixelCrossEntropy } from "./pixel-cross-entropy.js";
import { pixelCrossEntropyGradient } from "./pixel-cross-entropy-gradient.js";
import { pixelHits } from "./pixel-hits.js";
import { pixelOverlaps } from "./pixel-overlaps.js";
import { pointwise } from "./pointwise.js";
import { reduce } from "./reduce.js";
import { rearrange } from "./rearrange.js";
import { rearrangeGradient } from "./rearrange-gradient.js";
import { resample } from "./resample.js";
import { resampleGradient } from "./resample-gradient.js";
import { reshape } from "./reshape.js";
import { scaledWeights } from "./scaled-weights.js";
import { softmax } from "./softmax.js";
import { softmaxGradient } from "./softmax-gradient.js";
import { scaleGradient } from "./scale-gradient.js";
import { sumGradients } from "./sum-gradients.js";
import { spread } from "./spread.js";
import { squareSum } from "./square-sum.js";
import { table } from "./table.js";
import { update } from "./update.js";

/** Every primitive. A kind without its definition does not compile. */
export const ops: { readonly [Kind in OpKind]: OpDefinition<Kind> } = {
  accuracy,
  attention,
  attentionGradient,
  averagePool,
  averagePoolGradient,
  batchSums,
  broadcast,
  embedding,
  embeddingGradient,
  channelStatistics,
  channelSum,
  channelWindowSum,
  classification,
  concatenate,
  convolution,
  convolutionInputGradient,
  convolutionWeightGradient,
  crossEntropy,
  crossEntropyGradient,
  detectionLoss,
  detectionLossGradient,
  dice,
  diceGradient,
  diceSums,
  diceSumsGradient,
  elementLoss,
  exampleSum,
  groupNormalize,
  groupNormalizeGradient,
  joinChannels,
  matmul,
  extend,
  extendGradient,
  labelMean,
  labelMeanGradient,
  maxPool,
  maxPoolGradient,
  maxUnpool,
  maxUnpoolGradient,
  normalize,
  normalizeGradient,
  oneHot,
  normalizeScale,
  scaledWeights,
  pixelCrossEntropy,
  pixelCrossEntropyGradient,
  pixelHits,
  pixelOverlaps,
  pointwise,
  rearrange,
  rearrangeGradient,
  reduce,
  resample,
  resampleGradient,
  reshape,
  softmax,
  softmaxGradient,
  spread,
  table,
  squareSum,
  sumGradients,
  scaleGradient,
  adjustLossScale,
  update,
};
