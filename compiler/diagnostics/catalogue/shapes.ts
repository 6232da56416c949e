import type { CatalogueFamily } from "./entry.js";

/** NET2: shapes. */
export const SHAPES = {
  NET2001: {
    title: "a layer needs an image",
    explanation:
      "Convolutions, pooling and local response normalization work on images `[N, C, H, W]`. " +
      "After `flatten` or `linear` there are no rows and columns any more.",
    wrong: "flatten -> conv(64, kernel=3)",
    right: "conv(64, kernel=3) -> flatten",
  },
  NET2002: {
    title: "a declared input size does not match",
    explanation:
      "`in=` declares how many channels or features a layer receives. netc infers this " +
      "number anyway; a mismatch means that the network is not the intended one. The labels " +
      "show where the size comes from.",
    wrong: "linear(4096, in=9216)   // receives 12544",
    right: "linear(4096)",
  },
  NET2003: {
    title: "a linear layer receives an image",
    explanation:
      "`linear` works on features `[N, F]`. `flatten` turns an image `[N, C, H, W]` into " +
      "`C*H*W` features; `adaptive_avgpool(1) -> flatten` into `C`.",
    wrong: "conv(64, kernel=3) -> linear(10)",
    right: "conv(64, kernel=3) -> flatten -> linear(10)",
  },
  NET2004: {
    title: "a kernel larger than its input",
    explanation:
      "The kernel of a convolution or a pooling layer, including its dilation, must fit into " +
      "the padded image. Usually the layers before it have made the image too small; the " +
      "note says which network inputs are large enough.",
    wrong: "input image: f32[N, 3, 8, 8]\nconv(64, kernel=11)",
    right: "input image: f32[N, 3, 8, 8]\nconv(64, kernel=3)",
  },
  NET2005: {
    title: "groups do not divide the channels",
    explanation:
      "`groups=g` splits the input and output channels into `g` equal parts, so `g` must " +
      "divide both numbers.",
    wrong: "conv(64, kernel=3, groups=2)   // on 3 channels",
    right: "conv(64, kernel=3)",
  },
  NET2006: {
    title: "pooling padding larger than half of the kernel",
    explanation:
      "With more padding than half of the kernel, a window could lie entirely in the padding " +
      "and would have no values to take the maximum or the mean of. PyTorch has the same " +
      "rule.",
    wrong: "maxpool(3, stride=2, padding=2)",
    right: "maxpool(3, stride=2, padding=1)",
  },
  NET2007: {
    title: "the number of logits differs from the number of classes",
    explanation:
      "The loss reads one logit per class. `target label: u32[N] in 0..classes` allows labels " +
      "from 0 to `classes - 1`, so the layer that " +
      "makes the logits must have `classes` outputs.",
    wrong: "target label: u32[N] in 0..10\nlinear(100) as logits",
    right: "target label: u32[N] in 0..10\nlinear(10) as logits",
  },
  NET2008: {
    title: "k exceeds the number of classes",
    explanation:
      "Top-k accuracy checks whether the label is among the `k` largest logits, so `k` can " +
      "be at most the number of classes.",
    wrong: "linear(3) as logits\nmetric top5 = accuracy(logits, label, k=5)",
    right: "linear(3) as logits\nmetric top1 = accuracy(logits, label)",
  },
  NET2009: {
    title: "logits with a wrong shape",
    explanation:
      "A loss or a metric on classes needs logits `[N, classes]`: one number for each class " +
      "and example.",
    wrong: "conv(10, kernel=1) as logits",
    right: "adaptive_avgpool(1) -> flatten -> linear(10) as logits",
  },
  NET2010: {
    title: "softmax before cross-entropy",
    explanation:
      "`cross_entropy` applies softmax itself, in a numerically stable form. With a " +
      "`softmax` before it, softmax is applied twice: gradients become small and the network " +
      "learns slowly. `predict` of the module returns logits; convert them to probabilities " +
      "afterwards, as `netc predict` does.",
    wrong: "linear(10) -> softmax as logits\nloss cross_entropy(logits, label)",
    right: "linear(10) as logits\nloss cross_entropy(logits, label)",
    severity: "warning",
  },
  NET2011: {
    title: "a model without an input",
    explanation:
      "All shapes of a network follow from the shape of its input, so a model must declare " +
      "one.",
    wrong: "model M {\n  conv(64, kernel=3)\n}",
    right: "model M {\n  input image: f32[N, 3, 32, 32]\n  conv(64, kernel=3)\n}",
  },
  NET2012: {
    title: "an input that nothing reads",
    explanation:
      "Layers read the first input until a `from` names another one. " +
      "Every input must reach a layer or a loss.",
    wrong: "input left: f32[N, 3, 32, 32]\ninput right: f32[N, 3, 32, 32]\nconv(8, kernel=3) as a",
    right: "from left -> conv(8, kernel=3) as a\nfrom right -> conv(8, kernel=3) -> add(a)",
  },
  NET2013: {
    title: "an input with an unsupported shape",
    explanation:
      "An input is an image `[N, channels, height, width]`, a sequence `[N, tokens, channels]` " +
      "or features `[N, features]`, or has up to eight axes behind the batch; tokens are " +
      "`u32[N, tokens] in 0..count`. " +
      "Sizes are integers of at least 1. `N` is the batch size, which is chosen when " +
      "training starts.",
    wrong: "input image: f32[3, 224, 224]",
    right: "input image: f32[N, 3, 224, 224]",
  },
  NET2014: {
    title: "an unsupported target type",
    explanation:
      "Classifiers train on class indices, one integer for each example, starting from 0: " +
      "`u32[N]`. Networks that segment have one for each pixel, `u32[N, height, width]`, " +
      "language models one for each token, `u32[N, tokens]`. Other networks train on numbers " +
      "with the shape of their output: `f32[N, 4]`, `f32[N, 3, 64, 64]`; one number for each " +
      "example is `f32[N, 1]`.",
    wrong: "target years: f32[N]",
    right: "target years: f32[N, 1]",
  },
  NET2015: {
    title: "a wrong range of labels or tokens",
    explanation:
      "Labels and tokens count from 0. `in 0..10` means 0 to 9: ten classes, and the end is " +
      "excluded, as in Python's and Rust's ranges.",
    wrong: "target label: u32[N] in 1..10",
    right: "target label: u32[N] in 0..10",
  },
  NET2016: {
    title: "a model without layers",
    explanation: "A model without layers has nothing to train and nothing to predict.",
    wrong: "model M {\n  input image: f32[N, 3, 32, 32]\n}",
    right: "model M {\n  input image: f32[N, 3, 32, 32]\n  flatten -> linear(10)\n}",
  },
  NET2025: {
    title: "a layer needs a sequence",
    explanation:
      "`attention` and `token` work on sequences `[N, T, C]`: T tokens with C channels each. " +
      "`tokens` makes a token of each pixel of an image, `patches(16)` one of each patch.",
    wrong: "conv(64, kernel=3) -> attention(8)",
    right: "conv(64, kernel=3) -> tokens -> attention(8)",
  },
  NET2026: {
    title: "patches that do not fill the image",
    explanation:
      "`patches(size)` cuts an image into squares without gaps and without padding, so `size` " +
      "must divide its rows and its columns.",
    wrong: "input image: f32[N, 3, 224, 224]\npatches(15)",
    right: "input image: f32[N, 3, 224, 224]\npatches(16)",
  },
  NET2027: {
    title: "a token that does not exist",
    explanation: "Tokens count from 0: of `[N, 197, 768]` they are 0 to 196.",
    wrong: "patches(16) -> token(196)   // of 224x224 pixels: 196 tokens",
    right: "patches(16) -> token(0)",
  },
  NET2028: {
    title: "a wrong order of axes",
    explanation:
      "`transpose` and `permute` take axes by name, or number them as PyTorch does. Axis 0 is " +
      "the batch, which stays first; `permute` has each axis once.",
    wrong: "patches(16) -> permute([1, 0, 2])",
    right: "patches(16) -> permute([0, 2, 1])",
  },
  NET2029: {
    title: "heads that do not fit the channels",
    explanation:
      "`attention(heads)` cuts the channels of each token into equal parts, one for each head, " +
      "so `heads` must divide them. A head has at most 256 channels.",
    wrong: "patches(16) -> attention(7)   // 768 channels",
    right: "patches(16) -> attention(8)",
  },
  NET2030: {
    title: "a parameter with a wrong type",
    explanation:
      "`parameter positions: f32[197, 768]` declares numbers that are trained and are the same " +
      "for each example. It has 1 to 8 axes of known size, without the batch: the value that " +
      "layers read is `[N, 197, 768]`.",
    wrong: "parameter positions: f32[N, 197, 768]",
    right: "parameter positions: f32[197, 768]",
  },
  NET2040: {
    title: "groupnorm groups do not divide the channels",
    explanation:
      "`groupnorm(g)` splits the channels into `g` groups of equal size, so `g` must divide " +
      "the number of channels. `g` is PyTorch's `num_groups`, not the number of channels in " +
      "a group.",
    wrong: "conv(64, kernel=3) -> groupnorm(24)",
    right: "conv(64, kernel=3) -> groupnorm(16)",
  },
  NET2041: {
    title: "normalization over a single value",
    explanation:
      "A normalization subtracts the mean and divides by the standard deviation. Over a " +
      "single value the result is always 0, so no layer after it can learn. This happens " +
      "with one channel, or with as many groups as features.",
    wrong: "flatten -> linear(16) -> groupnorm(16)",
    right: "flatten -> linear(16) -> groupnorm(4)",
  },
  NET2042: {
    title: "a batch normalization momentum in the Keras convention",
    explanation:
      "`momentum` is the weight of the new batch in the running statistics, as in PyTorch; " +
      "the default is 0.1. Keras, TensorFlow and Caffe give the weight of the old " +
      "statistics: their 0.99 is 0.01 here. With 0.99, evaluation would use the statistics " +
      "of the last batch alone, and its results would change a lot from step to step.",
    wrong: "conv(64, kernel=3) -> batchnorm(momentum=0.99)",
    right: "conv(64, kernel=3) -> batchnorm(momentum=0.01)",
    severity: "warning",
  },
  NET2017: {
    title: "residual branches of different shapes",
    explanation:
      "`residual` adds the output of its body and the output of its skip, element by " +
      "element, so both must have the same shape. Without `skip`, it adds the input itself. " +
      "`skip auto` adapts the shape with a 1x1 convolution and batch normalization.",
    wrong: "residual { conv(128, kernel=3, stride=2, padding=1) -> relu }",
    right: "residual { conv(128, kernel=3, stride=2, padding=1) -> relu } skip auto",
  },
  NET2018: {
    title: "`residual` without layers",
    explanation: "Without layers in its body, `residual` would add its input to itself.",
    wrong: "residual { }",
    right: "residual { conv(64, kernel=3, padding=1) }",
  },
  NET2019: {
    title: "concat branches of different image sizes",
    explanation:
      "`concat` concatenates the channels of its branches, so their images must have the " +
      "same size. Padding of half the kernel keeps the size if the stride is 1; pooling in a " +
      "branch needs `stride=1`.",
    wrong: "concat { branch { conv(64, kernel=1) } branch { conv(64, kernel=3) } }",
    right: "concat { branch { conv(64, kernel=1) } branch { conv(64, kernel=3, padding=1) } }",
  },
  NET2020: {
    title: "`concat` without branches",
    explanation: "`concat` joins the values of its branches, so it needs at least one.",
    wrong: "concat { }",
    right: "concat { branch { conv(64, kernel=1) } branch { conv(64, kernel=3, padding=1) } }",
  },
  NET2021: {
    title: "`skip auto` cannot match the shapes",
    explanation:
      "`skip auto` is a 1x1 convolution, whose stride divides the image size by an integer, " +
      "and batch normalization. If the sizes need something else, write the layers of the " +
      "skip yourself.",
    wrong: "residual { conv(64, kernel=3) } skip auto",
    right: "residual { conv(64, kernel=3) } skip { conv(64, kernel=3) }",
  },
  NET2022: {
    title: "layers whose output is not used",
    severity: "warning",
    isUnnecessary: true,
    explanation:
      "Nothing uses the output of this layer: it is not the prediction of the network, and " +
      "no loss, metric or other layer reads it.",
    wrong: "conv(64, kernel=1) as stem -> relu\nfrom stem -> sigmoid -> ...",
    right: "conv(64, kernel=1) as stem -> relu as left\nfrom stem -> sigmoid -> add(left)",
  },
  NET2023: {
    title: "shared layers applied to different shapes",
    explanation:
      "All uses of shared layers must receive the same shape, because they have the same " +
      "weights.",
    wrong: "from small -> tower\nfrom large -> tower",
    right: "from large -> maxpool(2) -> tower\nfrom small -> tower",
  },
  NET2024: {
    title: "a target that no loss or metric uses",
    explanation:
      "A model with several targets must use each of them in a loss or a metric, and so must a " +
      "model whose losses are of the network's values alone. Losses can be added. A model that " +
      "needs no target declares none.",
    wrong: "target kind: u32[N] in 0..4\ntarget size: f32[N, 1]\nloss cross_entropy(a, kind)",
    right: "loss cross_entropy(a, kind) + mse(b, size)",
  },
  NET2070: {
    title: "weights that no loss trains",
    severity: "warning",
    explanation:
      "The loss depends on these weights only through `stop`, which ends gradients, so they " +
      "keep their initial values. If that is intended, because the weights are loaded, name " +
      "them in `freeze`. Otherwise another loss, or another way from the weights to the " +
      "loss, must have no `stop`.",
    wrong:
      "conv(8, kernel=3) -> stop\n" +
      "flatten -> linear(10) as logits\nloss cross_entropy(logits, label)",
    right:
      "conv(8, kernel=3) -> relu\n" +
      "flatten -> linear(10) as logits\nloss cross_entropy(logits, label)",
  },
  NET2031: {
    title: "values of different shapes",
    explanation:
      "`add` and `multiply` join two values element by element, so both need the same shape. " +
      "`concat` joins channels, so everything except the channels must agree. A label shows " +
      "the line of the `as` that names the other value.",
    wrong: "conv(8, kernel=3, padding=1) as left -> maxpool(2) -> add(left)",
    right: "conv(8, kernel=3, padding=1) as left -> relu -> add(left)",
  },
  NET2032: {
    title: "a transposed convolution without a valid output size",
    explanation:
      "The output of `conv_transpose` has `(size - 1)*stride - 2*padding + dilation*(kernel " +
      "- 1) + output_padding + 1` rows; padding removes rows, and at least one must remain. " +
      "`output_padding` chooses among the sizes that a convolution of this stride maps to " +
      "the same size, so it must be less than the stride.",
    wrong: "conv_transpose(8, kernel=3, stride=2, padding=1, output_padding=2)",
    right: "conv_transpose(8, kernel=3, stride=2, padding=1, output_padding=1)",
  },
  NET2033: {
    title: "reshape changes the number of elements",
    explanation:
      "`reshape` keeps the elements and changes only their shape, so both shapes need the " +
      "same number of elements. The sizes are those of one example, without the batch: " +
      "`[features]` or `[channels, height, width]`. netc computes a size of -1.",
    wrong: "linear(250) -> reshape([16, 4, 4])",
    right: "linear(256) -> reshape([16, 4, 4])",
  },
  NET2034: {
    title: "upsample needs either a scale or a size",
    explanation:
      "`upsample` needs either the factor (`scale`) or the output size (`size`), not both.",
    wrong: "upsample(mode=bilinear)",
    right: "upsample(2, mode=bilinear)",
  },
  NET2035: {
    title: "an axis or a part that a value does not have",
    explanation:
      "`slice` and `crop` take a part of a value, `pad` adds to it along an axis, and `sum`, " +
      "`mean`, `max`, `min` and `logsumexp` join its elements along axes. Images have channels, " +
      "rows and columns, sequences tokens and channels, features channels. Of axes by number, 0 " +
      "is the batch. Numbers of elements count from 0, and the end of a part does not belong " +
      "to it.",
    wrong: "conv(16, kernel=1) -> slice(channels, 8, 24)",
    right: "conv(16, kernel=1) -> slice(channels, 8, 16)",
  },
  NET2036: {
    title: "a number that does not divide a size",
    explanation:
      "`channel_shuffle(g)` needs a multiple of `g` channels, `pixel_shuffle(r)` a multiple of " +
      "`r*r` channels, `pixel_unshuffle(r)` rows and columns that `r` divides, and `glu` an even " +
      "number of channels. `split` divides its value evenly over its branches, or into `sizes` " +
      "that add up to it.",
    wrong: "conv(3, kernel=3, padding=1) -> pixel_shuffle(2)",
    right: "conv(12, kernel=3, padding=1) -> pixel_shuffle(2)",
  },
  NET2037: {
    title: "more padding than the image has pixels",
    explanation:
      "`pad` with `mode=reflect` mirrors the image at its edge, so a side gets fewer pixels than " +
      "the image has; with `mode=circular` at most as many. PyTorch has the same rule.",
    wrong: "conv(8, kernel=1) -> maxpool(8) -> pad(4, mode=reflect)",
    right: "conv(8, kernel=1) -> maxpool(8) -> pad(3, mode=reflect)",
  },
  NET2038: {
    title: "tokens where numbers are expected",
    explanation:
      "An input of tokens, `u32[N, T] in 0..count`, holds indices of words, products or other " +
      "things, whose order means nothing. Only `embedding` reads them: it gives each a row of " +
      "trained numbers.",
    wrong: "input words: u32[N, 16] in 0..1000\nlinear(64)",
    right: "input words: u32[N, 16] in 0..1000\nembedding(64) -> linear(64)",
  },
  NET2039: {
    title: "an embedding without tokens",
    explanation:
      "`embedding` has a row of numbers for each token, so its input is tokens, " +
      "`u32[N, T] in 0..count`, and `padding_index` is one of them.",
    wrong: "input words: f32[N, 16]\nembedding(64)",
    right: "input words: u32[N, 16] in 0..1000\nembedding(64)",
  },
  NET2045: {
    title: "an unsupported combination of losses",
    explanation:
      "A loss can be a sum of losses, each multiplied by a positive number, as for GoogLeNet " +
      "with its two auxiliary classifiers. The network's prediction is the first argument of " +
      "the first loss.",
    wrong: "loss cross_entropy(logits, label) - cross_entropy(early, label)",
    right: "loss cross_entropy(logits, label) + 0.3 * cross_entropy(early, label)",
  },
  NET2046: {
    title: "a loss or metric that does not fit its target",
    explanation:
      "`cross_entropy` and `accuracy` compare logits with classes: their target is `u32[N]`, " +
      "one class for each example. `cross_entropy`, `miou` and `pixel_accuracy` compare with " +
      "masks, `u32[N, height, width]`, one class for each pixel; `cross_entropy` and `accuracy` " +
      "also with a class for each token, `u32[N, tokens]`. " +
      "`mse`, `l1` (`mae` as a metric) and `bce_with_logits` " +
      "compare numbers with numbers: their target is `f32[N, ...]` with the shape of the " +
      "output, or the model's input. Formulas take classes as `one_hot(label)`.",
    wrong: "target label: u32[N] in 0..10\nloss mse(out, label)",
    right: "target position: f32[N, 4]\nloss mse(out, position)",
  },
  NET2047: {
    title: "prediction and target of different shapes",
    explanation:
      "`mse`, `l1` and `bce_with_logits` compare element by element, without broadcasting: " +
      "the network's output and the target need the same shape. A mask has a class for each " +
      "pixel: its logits need its height and width; a class for each token needs as many tokens. " +
      "Networks that pool enlarge them at the end, " +
      "with `upsample(size=[...], mode=bilinear)`, or step by step, as U-Net does.",
    wrong: "target position: f32[N, 4]\nlinear(2) as out\nloss mse(out, position)",
    right: "target position: f32[N, 4]\nlinear(4) as out\nloss mse(out, position)",
  },
  NET2049: {
    title: "`ignore` of a label that cannot be left out",
    explanation:
      "`ignore` is the label of pixels or tokens that count in neither the loss nor the metrics, " +
      "such as borders without an annotation, or padding; data sets often use 255. Where it is " +
      "one of the classes, that class is never learned, and all losses of the target must leave " +
      "it out. Sums over rows and columns in a " +
      "formula leave such pixels out where a factor is 0 there: " +
      "`sum(one_hot(mask), over=channels)`.",
    wrong:
      "target mask: u32[N, 32, 32] in 0..21\nconv(21, kernel=3, padding=1) as logits\n" +
      "loss cross_entropy(logits, mask, ignore=20) + dice(logits, mask)",
    right:
      "target mask: u32[N, 32, 32] in 0..21\nconv(21, kernel=3, padding=1) as logits\n" +
      "loss cross_entropy(logits, mask, ignore=255) + dice(logits, mask)",
  },
  NET2050: {
    title: "a stride larger than the kernel",
    severity: "warning",
    explanation:
      "Windows are `stride` pixels apart and `kernel` pixels wide (`dilation*(kernel - 1) + " +
      "1` with a dilation). With a larger stride, the pixels between two windows are never " +
      "read: the layers before compute them for nothing. netc does not warn about 1x1 " +
      "convolutions with a stride, as in the shortcuts of residual networks.",
    wrong: "conv(64, kernel=3, stride=4)",
    right: "conv(64, kernel=5, stride=4, padding=2)",
  },
  NET2051: {
    title: "dropout after the last layer",
    severity: "warning",
    explanation:
      "Dropout before the loss sets random logits to zero: in that step, the network can " +
      "neither learn nor rule out those classes. Put dropout before the last linear layer.",
    wrong: "linear(10) -> dropout(0.5) as logits\nloss cross_entropy(logits, label)",
    right: "dropout(0.5) -> linear(10) as logits\nloss cross_entropy(logits, label)",
  },
  NET2052: {
    title: "a layer larger than any device",
    severity: "error",
    explanation:
      "A value of one example, or the weights of one layer, with more than 2^30 numbers " +
      "would take at least 4 GiB: no WebGPU device has buffers of that size. Often a number " +
      "has too many zeros, or a linear layer follows a large image: add pooling before " +
      "`flatten`.",
    wrong: "conv(100000000, kernel=1)",
    right: "conv(100, kernel=1)",
  },
  NET2053: {
    title: "`max_unpool` of something else than a pool",
    explanation:
      "`max_unpool` puts elements back to where a `maxpool` found the largest ones, so it needs " +
      "the name of that layer. The windows of the pool must not overlap, or two elements could " +
      "have one place.",
    wrong: "maxpool(3, stride=2) as pool -> max_unpool(pool)",
    right: "maxpool(2) as pool -> max_unpool(pool)",
  },
  NET2054: {
    title: "a value of too many axes",
    explanation:
      "An input or a `reshape` may have more than four axes. Activations, layers that " +
      "reorder, cut, join or reduce, `residual`, `split` and formulas take values of any rank, " +
      "and some layers work on their last axis: the message lists them. Every other layer, and " +
      "losses and metrics of classes, take images, sequences, signals and features: a last " +
      "`reshape` makes one of them.",
    wrong: "reshape([-1, 2, 2, 4, 4]) -> permute([0, 1, 4, 2, 5, 3]) -> conv(8, kernel=3)",
    right:
      "reshape([-1, 2, 2, 4, 4]) -> permute([0, 1, 4, 2, 5, 3])\n" +
      "reshape([-1, 8, 8]) -> conv(8, kernel=3)",
  },
  NET2060: {
    title: "the number of class weights differs from the classes",
    explanation:
      "`class_weights` has one positive number for each class, in the order of the labels. " +
      "Rare classes get larger weights, so that frequent classes do not dominate the loss. " +
      "The loss is the weighted mean, as in PyTorch. `pos_weight` of `bce_with_logits` is one " +
      "number, or a list with one for each class: for each of the output's channels.",
    wrong: "linear(3) as logits\nloss cross_entropy(logits, label, class_weights=[1, 2])",
    right: "linear(3) as logits\nloss cross_entropy(logits, label, class_weights=[1, 2, 2])",
  },
  NET2061: {
    title: "an activation between the last layer and the loss",
    severity: "warning",
    explanation:
      "`cross_entropy` and `bce_with_logits` take logits, numbers of any size and sign. An " +
      "activation before them limits the predictions: after `sigmoid`, the most probable of " +
      "ten classes gets at most 23%; after `relu`, `bce_with_logits` never sees a " +
      "probability below 50%. End the network in `linear` or `conv`.",
    wrong: "linear(10) -> relu as logits\nloss cross_entropy(logits, label)",
    right: "relu -> linear(10) as logits\nloss cross_entropy(logits, label)",
  },
  NET2062: {
    title: "several values that the model may predict",
    severity: "warning",
    explanation:
      "A model predicts what its losses of targets are taken of: `cross_entropy(logits, label)` " +
      "says that `logits` are predicted. A loss that is a formula of values alone, without a " +
      "target, says no such thing, and then the model predicts the last value of its text. Where " +
      "the loss reads several values, a `let` or a layer that is added below would change what " +
      "`predict` returns. `from NAME` alone, as the last line before the loss, says which value " +
      "is predicted.",
    wrong:
      "from positive -> embed as same\nfrom anchor -> embed as own\n" +
      "loss mean(sum((own - same)^2, over=channels))",
    right:
      "from positive -> embed as same\nfrom anchor -> embed as own\nfrom own\n" +
      "loss mean(sum((own - same)^2, over=channels))",
  },
  NET2063: {
    title: "an output that makes no sense",
    explanation:
      "`output logits, features` says which values the model predicts, in this order. What a " +
      "loss compares with a target is one of them, since evaluations and predictions need it. " +
      "Of data with one target, evaluations and reports read the first output: it is one that " +
      "the loss compares with the target. Without `output`, it is the only one.",
    wrong:
      "flatten -> linear(64) as features -> relu -> linear(10) as logits\n" +
      "output features\nloss cross_entropy(logits, label)",
    right:
      "flatten -> linear(64) as features -> relu -> linear(10) as logits\n" +
      "output logits, features\nloss cross_entropy(logits, label)",
  },
  NET2064: {
    severity: "warning",
    title: "reshape takes -1 for the batch",
    explanation:
      "Sizes of `reshape` are those of one example, without the batch, which stays. PyTorch's " +
      "`x.view(-1, 8, 36)` keeps the batch by its -1, and is `reshape([8, 36])`. Here -1 comes " +
      "to 1 then, and makes an axis of one element. Where that is meant, write 1.",
    wrong: "flatten -> linear(288) -> reshape([-1, 8, 36])",
    right: "flatten -> linear(288) -> reshape([8, 36])",
  },
  NET2080: {
    title: "noise that cannot be drawn",
    explanation:
      "`input z: f32[N, 64] of normal` is noise: the device draws it in training and evaluation, " +
      "and predictions are given it. It is `normal`, with mean 0 and deviation 1, or `uniform` " +
      "in -1 to 1. A model that is trained has another input, too, since the examples of a step " +
      "are counted by what comes in.",
    wrong: "input z: f32[N, 64] of poisson",
    right: "input z: f32[N, 64] of normal",
  },
} as const satisfies CatalogueFamily;
