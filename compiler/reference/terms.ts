/** A word of the field, in a sentence or two, for those who meet it for the first time. */
export interface Term {
  readonly word: string;
  /** Other words for the same thing, and its plural. */
  readonly aliases: readonly string[];
  readonly meaning: string;
}

/** Words that specs, messages and the documentation use without explaining them. */
export const terms: readonly Term[] = [
  {
    word: "logits",
    aliases: ["logit"],
    meaning:
      "The network's last numbers, one for each class, before softmax turns them into " +
      "probabilities. The largest logit is the prediction.",
  },
  {
    word: "shape",
    aliases: ["shapes", "dimensions", "NCHW"],
    meaning:
      "The sizes of a value: `[N, C, H, W]` is a batch of N images with C channels, H rows and " +
      "W columns; `[N, C]` is a batch of rows with C features.",
  },
  {
    word: "epoch",
    aliases: [],
    meaning: "One pass over all training examples.",
  },
  {
    word: "iteration",
    aliases: ["iterations", "update"],
    meaning:
      "One training step: a batch forward, its gradients backward, and one change of the weights.",
  },
  {
    word: "gradient",
    aliases: ["gradients", "backward", "backpropagation"],
    meaning:
      "How the loss changes with each weight. The optimizer moves the weights against it. " +
      "netc derives it from the ops of the network.",
  },
  {
    word: "gradient clipping",
    aliases: ["clipping"],
    meaning:
      "A limit on gradients, so that one bad batch cannot ruin the weights: the settings " +
      "`clip_norm` and `clip_value` of a recipe.",
  },
  {
    word: "class imbalance",
    aliases: ["imbalance", "imbalanced", "class weights"],
    meaning:
      "Some classes have many more examples than others. The loss can weigh them: " +
      "`loss cross_entropy(logits, label, class_weights=[1, 5])`.",
  },
  {
    word: "mixed precision",
    aliases: ["half precision", "fp16", "float16"],
    meaning:
      "Activations and their gradients in 16 bits, weights and sums in 32: `precision = f16`, " +
      "where the adapter has `shader-f16`.",
  },
  {
    word: "learning rate",
    aliases: ["lr", "learning_rate", "rate"],
    meaning:
      "The size of the optimizer's steps: `optimizer = sgd(lr=0.01)`. A `schedule` changes it " +
      "during the run.",
  },
  {
    word: "overfitting",
    aliases: ["overfit"],
    meaning:
      "The training loss falls while the evaluation loss rises: the network memorizes its " +
      "examples. More data, augmentation, `dropout` and `weight_decay` help.",
  },
  {
    word: "augmentation",
    aliases: ["data augmentation"],
    meaning:
      "Random changes of training images, such as `random_crop` and `hflip`, so that the network " +
      "rarely sees the same image twice.",
  },
  {
    word: "fine-tuning",
    aliases: ["finetuning", "fine-tune", "finetune", "transfer learning", "transfer-learning"],
    meaning:
      "Training that starts from weights learned on other data: " +
      '`weights = load("FILE", except=[logits.*])`, often with `freeze` for the first epochs.',
  },
  {
    word: "padding",
    aliases: ["pad"],
    meaning: "Zeros around an image, so that a kernel can be centered on the pixels of its border.",
  },
  {
    word: "receptive field",
    aliases: ["receptive_field"],
    meaning: "The part of the input image that one element of a layer's output depends on.",
  },
  {
    word: "mean average precision",
    aliases: ["mAP", "map", "map50", "AP", "average precision"],
    meaning:
      "How well boxes are found, from 0 to 1: for each class the area under the curve of " +
      "precision over recall, and of these the mean. `map50` counts a box as found from an " +
      "overlap of 0.5 on; `map` is COCO's mean over overlaps of 0.5 to 0.95.",
  },
  {
    word: "overlap",
    aliases: ["IoU", "intersection over union", "NMS", "non-maximum suppression"],
    meaning:
      "The area that two boxes share, divided by the area that they cover together. Of two boxes " +
      "of a class that overlap by more than half, predictions keep the one with the higher score.",
  },
  {
    word: "feature map",
    aliases: ["feature_map", "feature maps", "activation", "activations"],
    meaning: "A layer's output: an image with one channel for each of the layer's kernels.",
  },
  {
    word: "MACs",
    aliases: ["mac", "multiply-adds", "flops"],
    meaning:
      "Multiplications with an addition: the cost of a layer for one image. One MAC counts as " +
      "two floating-point operations (FLOPs).",
  },
  {
    word: "parameter",
    aliases: ["parameters", "weight", "bias"],
    meaning:
      "Numbers that training changes: the weights and biases of `conv`, `linear` and the " +
      "normalization layers. `netc summary` counts them.",
  },
  {
    word: "running statistics",
    aliases: ["running_mean", "running_var", "running mean"],
    meaning:
      "Averages of means and variances that `batchnorm` collects while training, and uses in " +
      "prediction instead of those of the batch.",
  },
  {
    word: "slice",
    aliases: ["slices", "micro-batch", "microbatch"],
    meaning:
      "A part of a batch that runs in one pass. Slices save memory: their gradients are " +
      "summed, and the weights change once for all of them. See `accumulate`.",
  },
  {
    word: "fan in",
    aliases: ["fan_in", "fan-in", "fan out", "fan_out", "fan-out"],
    meaning:
      "The number of connections into (fan in) or out of (fan out) one unit of a layer, from " +
      "which initializers compute the spread of random weights.",
  },
  {
    word: "top-5",
    aliases: ["top5", "top-1", "top1", "top_k"],
    meaning:
      "Top-1 accuracy counts an image if its label has the largest logit, top-5 if it is among " +
      "the five largest: `metric top5 = accuracy(logits, label, k=5)`.",
  },
  {
    word: "checkpoint",
    aliases: ["checkpoints"],
    meaning:
      "Weights, optimizer state and place in the run, saved so that `netc train --resume` " +
      "continues as if the run had not stopped.",
  },
  {
    word: "adapter",
    aliases: ["gpu", "device", "WebGPU"],
    meaning:
      "A GPU, or a software implementation of one, in WebGPU. `netc doctor` lists " +
      "those of this machine.",
  },
];
