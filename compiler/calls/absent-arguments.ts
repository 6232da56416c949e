import type { AbsentNames } from "./suggestion.js";

const INFERRED = "sizes of the input are inferred: leave it out";
const OVER_CHANNELS =
  "it is over the channels, axis 1 of images and the last of sequences: leave it out there, and " +
  "else put another axis in their place with `transpose`, before and behind";
const UNNEEDED = "netc has no such choice: leave it out";

/**
 * Arguments of other frameworks that netc does not have, in plain letters, and what to do instead.
 */
export const absentArguments: AbsentNames = {
  // Layers
  activation: "an activation is a separate layer: `conv(64, kernel=3) -> relu`",
  inplace: "the compiler plans the memory: leave it out",
  numfeatures: INFERRED,
  normalizedshape: INFERRED,
  numchannels: INFERRED,
  ...Object.fromEntries(["embeddim", "dmodel", "kdim", "vdim"].map((name) => [name, INFERRED])),
  batchfirst: "sequences are always [N, tokens, channels]: leave it out",
  needweights: UNNEEDED,
  droppath: "`residual(drop=0.1) { ... }` skips the block for whole examples",
  inputshape: "the model's `input` declares it: `input image: f32[N, 3, 224, 224]`",
  inputsize: "the model's `input` declares it: `input image: f32[N, 3, 224, 224]`",
  dataformat: "images are always [N, channels, height, width]: leave it out",
  paddingmode: "`pad(1, mode=reflect)` before the layer pads otherwise than with zeros",
  keepdim: "axes always stay, with size 1: leave it out",
  keepdims: "axes always stay, with size 1: leave it out",
  dim: OVER_CHANNELS,
  axis: OVER_CHANNELS,
  name: "`as NAME` after a layer names it",
  trainable: "`lr=0` freezes a weight; `freeze = [features.*]` in a recipe freezes many",
  kernelregularizer: "the optimizer decays the weights: `sgd(lr=0.1, weight_decay=5e-4)`",
  trackrunningstats: "batch normalization always keeps running statistics",
  returnindices: UNNEEDED,
  threshold: UNNEEDED,
  // Losses
  reduction: "the loss is always the mean over the examples",
  ignoreindex: "every example counts; give a class less weight with `class_weights`",
  posweight: "`bce_with_logits` has `pos_weight`; classes have `class_weights`",
  fromlogits: "losses always take logits: leave it out, and leave out a `softmax` before the loss",
  // Optimizers and schedules
  betas: "write `beta1=0.9, beta2=0.999`",
  amsgrad: "netc has no AMSGrad",
  dampening: "netc has no dampening: it is 0",
  maximize: "losses are always minimized",
  ...Object.fromEntries(
    ["warmup", "warmupepochs", "warmupsteps"].map((name) => [
      name,
      "it comes before: `schedule = warmup(5 epochs) -> cosine`",
    ]),
  ),
  tmax: "the schedule ends with the run: leave it out",
  totalsteps: "the schedule ends with the run: leave it out",
  totaliters: "give the duration without a name: `warmup(5 epochs)`",
  lastepoch: "`--resume` continues a run: leave it out",
  // Data
  split: "`train` and `eval` are the splits; `holdout=0.2` in both keeps a share for evaluation",
  train: "`train` and `eval` of the data declaration are the splits; each reads its own files",
  shuffle: "examples are shuffled in training, and never in evaluation: leave it out",
  batchsize: "the recipe says it: `batch = 64`",
  numworkers: "images are decoded on as many threads as the machine has cores: leave it out",
  transform: "transforms follow the source: `train folder(...) { resize(256) -> ... }`",
  targettransform: "labels stay as they are: leave it out",
  download: "netc downloads nothing: put the files where the path says",
  root: 'give the path without a name: `cifar10("data/cifar10")`',
};
