/** What each layer is in layers of Keras 3, with channels last: one table. */
import { linear } from "../channels-last/convolutions.js";
import type { KerasMapping } from "../channels-last/keras-writer.js";
import { sharedLayers } from "../channels-last/layers.js";
import { batchnorm } from "../channels-last/normalizations.js";
import { adaptiveAvgpool, avgpool, globalAvgpool, maxpool } from "../channels-last/pools.js";
import { activations } from "./activations.js";
import { conv, convTranspose } from "./convolutions.js";
import { groupnorm, layernorm, lrn, scale } from "./normalizations.js";
import { avgpoolOfSome, maxpoolBelowZero } from "./pools.js";
import { unevenAverages, upsample } from "./resampling.js";

export const kerasMappings: Readonly<Record<string, KerasMapping>> = {
  ...sharedLayers,
  ...activations,
  conv,
  conv_transpose: convTranspose,
  linear,

  maxpool: maxpool(maxpoolBelowZero),
  avgpool: avgpool(avgpoolOfSome),
  adaptive_avgpool: adaptiveAvgpool(unevenAverages),
  global_avgpool: globalAvgpool,
  upsample,

  lrn,
  batchnorm,
  groupnorm,
  layernorm,
  scale,
};
