import type { CatalogueFamily } from "./entry.js";

/** NET2: shapes. */
export const shapes = {
  NET2001: {
    title: "a layer needs an image",
    explanation:
      "Convolutions, pools and local response normalisation work on images `[N, C, H, W]`. After `flatten` or `linear` there are " +
      "no rows and columns any more.",
    wrong: "flatten -> conv(64, kernel=3)",
    right: "conv(64, kernel=3) -> flatten",
  },
  NET2002: {
    title: "an asserted size does not agree",
    explanation:
      "`in=` asserts how many channels or features a layer receives. They are inferred without it; an assertion that fails " +
      "means that the network is not the one that was meant. The labels show where the size comes from.",
    wrong: "linear(4096, in=9216)   // receives 12544",
    right: "linear(4096)",
  },
  NET2003: {
    title: "a linear layer receives an image",
    explanation:
      "`linear` works on features `[N, F]`. `flatten` makes an image `[N, C, H, W]` into `C*H*W` features; `adaptive_avgpool(1) -> flatten` " +
      "into `C`.",
    wrong: "conv(64, kernel=3) -> linear(10)",
    right: "conv(64, kernel=3) -> flatten -> linear(10)",
  },
  NET2004: {
    title: "a window is larger than its input",
    explanation:
      "A convolution's or a pool's window, holes of dilation included, must fit into the image with its padding. Mostly the image has " +
      "become too small in the layers before; the note says which inputs of the network would be large enough.",
    wrong: "input image: f32[N, 3, 8, 8]\nconv(64, kernel=11)",
    right: "input image: f32[N, 3, 8, 8]\nconv(64, kernel=3)",
  },
  NET2005: {
    title: "groups do not divide the channels",
    explanation:
      "With `groups=g` input and output channels are cut into `g` equal parts, so `g` must divide both.",
    wrong: "conv(64, kernel=3, groups=2)   // on 3 channels",
    right: "conv(64, kernel=3)",
  },
  NET2006: {
    title: "padding of more than half of a pool's window",
    explanation:
      "With more padding than half of the kernel, a window could lie in the padding altogether and would have nothing to choose from " +
      "or to average. PyTorch has the same rule.",
    wrong: "maxpool(3, stride=2, padding=2)",
    right: "maxpool(3, stride=2, padding=1)",
  },
  NET2007: {
    title: "logits and labels disagree about the classes",
    explanation:
      "The loss reads one logit per class. `target label: u32[N] in 0..classes` allows labels from 0 to `classes - 1`, so the layer that " +
      "makes the logits must have `classes` outputs.",
    wrong: "target label: u32[N] in 0..10\nlinear(100) as logits",
    right: "target label: u32[N] in 0..10\nlinear(10) as logits",
  },
  NET2008: {
    title: "more largest logits than there are",
    explanation: "Accuracy with `k` asks whether the label is among the `k` largest logits.",
    wrong: "linear(3) as logits\nmetric top5 = accuracy(logits, label, k=5)",
    right: "linear(3) as logits\nmetric top1 = accuracy(logits, label)",
  },
  NET2009: {
    title: "logits that are no row of numbers",
    explanation: "A loss or a metric needs logits `[N, classes]`: one number per class and image.",
    wrong: "conv(10, kernel=1) as logits",
    right: "adaptive_avgpool(1) -> flatten -> linear(10) as logits",
  },
  NET2010: {
    title: "softmax before cross-entropy",
    explanation:
      "`cross_entropy` applies softmax itself, in a form that neither overflows nor loses precision. A `softmax` before it squeezes the " +
      "probabilities a second time: gradients become small and the network learns slowly. `predict` returns logits; probabilities are made from them afterwards.",
    wrong: "linear(10) -> softmax as logits\nloss cross_entropy(logits, label)",
    right: "linear(10) as logits\nloss cross_entropy(logits, label)",
    severity: "warning",
  },
  NET2011: {
    title: "a model without an input",
    explanation:
      "All shapes of a network follow from its input's, so a model says what it receives.",
    wrong: "model M {\n  conv(64, kernel=3)\n}",
    right: "model M {\n  input image: f32[N, 3, 32, 32]\n  conv(64, kernel=3)\n}",
  },
  NET2012: {
    title: "an input that nothing reads",
    explanation:
      "Layers read the first input until a `from` names another one. Every input must reach a layer or a loss.",
    wrong: "input left: f32[N, 3, 32, 32]\ninput right: f32[N, 3, 32, 32]\nconv(8, kernel=3) as a",
    right: "from left -> conv(8, kernel=3) as a\nfrom right -> conv(8, kernel=3) -> add(a)",
  },
  NET2013: {
    title: "an input of a shape that cannot be",
    explanation:
      "An input is an image `[N, channels, height, width]` or a row `[N, features]`, its sizes integers from 1. `N` is the batch, " +
      "chosen when training starts.",
    wrong: "input image: f32[3, 224, 224]",
    right: "input image: f32[N, 3, 224, 224]",
  },
  NET2014: {
    title: "a target of a type that no loss takes",
    explanation:
      "Classifiers are trained on class indices, one integer per image from 0: `u32[N]`. Other networks are trained on numbers, of the shape of " +
      "their output: `f32[N, 4]`, `f32[N, 3, 64, 64]`; one number an image is `f32[N, 1]`.",
    wrong: "target label: u32[N, 10]",
    right: "target label: u32[N] in 0..10",
  },
  NET2015: {
    title: "a range of labels that cannot be",
    explanation:
      "Labels count from 0. `in 0..10` means 0 to 9: ten classes, the end excluded, as in Python's and Rust's ranges.",
    wrong: "target label: u32[N] in 1..10",
    right: "target label: u32[N] in 0..10",
  },
  NET2016: {
    title: "a model without layers",
    explanation: "There is nothing to train and nothing to predict in a model without layers.",
    wrong: "model M {\n  input image: f32[N, 3, 32, 32]\n}",
    right: "model M {\n  input image: f32[N, 3, 32, 32]\n  flatten -> linear(10)\n}",
  },
  NET2040: {
    title: "groups of a normalisation do not divide the channels",
    explanation:
      "`groupnorm(g)` cuts the channels into `g` groups of the same size, so `g` must divide their number. The number of groups is " +
      "what PyTorch calls `num_groups`, not the channels of a group.",
    wrong: "conv(64, kernel=3) -> groupnorm(24)",
    right: "conv(64, kernel=3) -> groupnorm(16)",
  },
  NET2041: {
    title: "a value is normalised by itself",
    explanation:
      "A normalisation takes off a mean and divides by a deviation. Of a single value the mean is the value, so that 0 is left whatever " +
      "the input, and nothing below can learn. It happens with one channel, and with as many groups as there are features.",
    wrong: "flatten -> linear(16) -> groupnorm(16)",
    right: "flatten -> linear(16) -> groupnorm(4)",
  },
  NET2042: {
    title: "a momentum that counts the other way",
    explanation:
      "`momentum` says how far the running statistics move in a step, as in PyTorch: 0.1 unless given. Keras, TensorFlow and Caffe say " +
      "how much of them stays: their 0.99 is 0.01 here. With 0.99 the running statistics would be those of the last batch, and " +
      "evaluation would jump about from step to step.",
    wrong: "conv(64, kernel=3) -> batchnorm(momentum=0.99)",
    right: "conv(64, kernel=3) -> batchnorm(momentum=0.01)",
    severity: "warning",
  },
  NET2017: {
    title: "two ways of a residual that disagree",
    explanation:
      "`residual` adds what its body makes to what its skip makes of the same input, element by element: both must have one shape. Without `skip`, the input itself is added. `skip auto` bridges other shapes with a 1x1 convolution and batch normalisation.",
    wrong: "residual { conv(128, kernel=3, stride=2, padding=1) -> relu }",
    right: "residual { conv(128, kernel=3, stride=2, padding=1) -> relu } skip auto",
  },
  NET2018: {
    title: "a residual without layers",
    explanation: "Without layers in its body, `residual` would add a value to itself.",
    wrong: "residual { }",
    right: "residual { conv(64, kernel=3, padding=1) }",
  },
  NET2019: {
    title: "branches that cannot be joined",
    explanation:
      "`concat` puts the channels of its branches one after the other, so their images must have one size. Padding of half the kernel keeps the size where the stride is 1; a pool in a branch needs `stride=1`.",
    wrong: "concat { branch { conv(64, kernel=1) } branch { conv(64, kernel=3) } }",
    right: "concat { branch { conv(64, kernel=1) } branch { conv(64, kernel=3, padding=1) } }",
  },
  NET2020: {
    title: "a concat without branches",
    explanation: "`concat` joins the values of its branches; there must be some.",
    wrong: "concat { }",
    right: "concat { branch { conv(64, kernel=1) } branch { conv(64, kernel=3, padding=1) } }",
  },
  NET2021: {
    title: "a skip that nothing bridges",
    explanation:
      "`skip auto` is a 1x1 convolution, whose stride makes an image smaller by a whole factor, and batch normalisation. Where the sizes ask for something else, write the layers yourself.",
    wrong: "residual { conv(64, kernel=3) } skip auto",
    right: "residual { conv(64, kernel=3) } skip { conv(64, kernel=3) }",
  },
  NET2022: {
    title: "layers that lead nowhere",
    severity: "warning",
    isUnnecessary: true,
    explanation:
      "Nobody reads the output of this layer: it is not what the network predicts, and no loss, metric or other layer uses it. It would be computed for nothing, or not at all.",
    wrong: "conv(64, kernel=1) as stem -> relu\nfrom stem -> sigmoid -> ...",
    right: "conv(64, kernel=1) as stem -> relu as left\nfrom stem -> sigmoid -> add(left)",
  },
  NET2023: {
    title: "shared layers applied to different shapes",
    explanation:
      "Every use of shared layers receives the same shape, so that one set of weights fits all of them.",
    wrong: "from small -> tower\nfrom large -> tower",
    right: "from large -> maxpool(2) -> tower\nfrom small -> tower",
  },
  NET2024: {
    title: "a target that nothing is compared with",
    explanation: "Of several targets, each is part of a loss or a metric. Losses add up.",
    wrong: "target kind: u32[N] in 0..4\ntarget size: f32[N, 1]\nloss cross_entropy(a, kind)",
    right: "loss cross_entropy(a, kind) + mse(b, size)",
  },
  NET2031: {
    title: "values of different shapes",
    explanation:
      "`add` and `multiply` join two values element by element, so both need one shape; `concat` joins channels, so everything " +
      "but the channels must agree. The value that is named comes from the line of its `as`.",
    wrong: "conv(8, kernel=3, padding=1) as left -> maxpool(2) -> add(left)",
    right: "conv(8, kernel=3, padding=1) as left -> relu -> add(left)",
  },
  NET2032: {
    title: "a transposed convolution that cannot be",
    explanation:
      "`conv_transpose` makes `(size - 1)*stride - 2*padding + dilation*(kernel - 1) + output_padding + 1` rows of `size`: padding cuts off, " +
      "so it must leave something. `output_padding` chooses among the sizes that a convolution of this stride maps to the same one, so it is " +
      "less than the stride.",
    wrong: "conv_transpose(8, kernel=3, stride=2, padding=1, output_padding=2)",
    right: "conv_transpose(8, kernel=3, stride=2, padding=1, output_padding=1)",
  },
  NET2033: {
    title: "a shape of another number of elements",
    explanation:
      "`reshape` reads the same elements in another shape, so there must be as many. Sizes are those of one image, without the batch: " +
      "`[features]` or `[channels, height, width]`; one of them may be -1, which is computed.",
    wrong: "linear(250) -> reshape([16, 4, 4])",
    right: "linear(256) -> reshape([16, 4, 4])",
  },
  NET2034: {
    title: "a size given twice, or not at all",
    explanation:
      "`upsample` needs to know the output's size: as a multiple of the input's (`scale`), or itself (`size`).",
    wrong: "upsample(mode=bilinear)",
    right: "upsample(2, mode=bilinear)",
  },
  NET2045: {
    title: "losses added up in another way",
    explanation:
      "A loss may be a sum of losses, each times a positive number: the network is trained on all of them at once, as GoogLeNet is with its " +
      "two early classifiers. What the network predicts is what the first of them is taken of.",
    wrong: "loss cross_entropy(logits, label) - cross_entropy(early, label)",
    right: "loss cross_entropy(logits, label) + 0.3 * cross_entropy(early, label)",
  },
  NET2046: {
    title: "a score and a target that do not go together",
    explanation:
      "`cross_entropy` and `accuracy` compare logits with classes: their target is `u32[N]`, one class an image. `mse`, `l1` (`mae` as a metric) and " +
      "`bce_with_logits` compare numbers with numbers: their target is `f32[N, ...]` of the output's shape, or the model's input.",
    wrong: "target label: u32[N] in 0..10\nloss mse(out, label)",
    right: "target position: f32[N, 4]\nloss mse(out, position)",
  },
  NET2047: {
    title: "prediction and target of different shapes",
    explanation:
      "`mse`, `l1` and `bce_with_logits` compare element by element, without broadcasting: the network's output and the target need one shape.",
    wrong: "target position: f32[N, 4]\nlinear(2) as out\nloss mse(out, position)",
    right: "target position: f32[N, 4]\nlinear(4) as out\nloss mse(out, position)",
  },
  NET2050: {
    title: "windows with gaps between them",
    severity: "warning",
    explanation:
      "Windows are `stride` pixels apart and `kernel` pixels wide (`dilation*(kernel - 1) + 1` with a dilation). With a stride beyond that, what lies " +
      "between two windows is never read: the layers before compute it for nothing. 1x1 convolutions with a stride, as in the shortcuts of " +
      "residual networks, are not warned of.",
    wrong: "conv(64, kernel=3, stride=4)",
    right: "conv(64, kernel=5, stride=4, padding=2)",
  },
  NET2051: {
    title: "dropout after the last layer",
    severity: "warning",
    explanation:
      "A loss taken of dropout's output sees zeros in place of some logits, at random: a class whose logit is dropped can be neither learned nor " +
      "ruled out in that step. Dropout belongs before the last linear layer.",
    wrong: "linear(10) -> dropout(0.5) as logits\nloss cross_entropy(logits, label)",
    right: "dropout(0.5) -> linear(10) as logits\nloss cross_entropy(logits, label)",
  },
  NET2052: {
    title: "a layer larger than any device",
    severity: "error",
    explanation:
      "A value of one image, or the weights of one layer, of more than 2^30 numbers would take 4 GiB and more: no WebGPU device has buffers of that size. " +
      "Often a number is wrong by some zeros, or a linear layer stands where the image is still large: pool before `flatten`.",
    wrong: "conv(100000000, kernel=1)",
    right: "conv(100, kernel=1)",
  },
  NET2060: {
    title: "class weights for another number of classes",
    explanation:
      "`class_weights` says what each class counts in the loss, in the order of the labels: one positive number for each class. Rare classes are given " +
      "more, so that common ones do not drown them. The loss is the weighted mean, as in PyTorch.",
    wrong: "linear(3) as logits\nloss cross_entropy(logits, label, class_weights=[1, 2])",
    right: "linear(3) as logits\nloss cross_entropy(logits, label, class_weights=[1, 2, 2])",
  },
  NET2061: {
    title: "an activation between the last layer and the loss",
    severity: "warning",
    explanation:
      "`cross_entropy` and `bce_with_logits` take logits, numbers of any size and sign. An activation before them limits what the network can say: after `sigmoid`, " +
      "the most probable of ten classes gets at most 23%; after `relu`, `bce_with_logits` never sees a probability below 50%. End in `linear` or `conv`.",
    wrong: "linear(10) -> relu as logits\nloss cross_entropy(logits, label)",
    right: "relu -> linear(10) as logits\nloss cross_entropy(logits, label)",
  },
} as const satisfies CatalogueFamily;
