import type { CatalogueFamily } from "./entry.js";

/** NET3: train and data declarations. */
export const TRAINING = {
  NET3001: {
    title: "an unknown model",
    explanation:
      "`data ... for MODEL` and `train ... of MODEL` name a model that the spec declares.",
    wrong: "train Base of AlexNett on ImageNet { ... }",
    right: "train Base of AlexNet on ImageNet { ... }",
  },
  NET3002: {
    title: "unknown data",
    explanation: "`train ... on DATA` names a `data` declaration of the spec.",
    wrong: "train Base of AlexNet on Imagenet { ... }",
    right: "train Base of AlexNet on ImageNet { ... }",
  },
  NET3003: {
    title: "an unknown setting",
    explanation: "A train declaration has a few settings; the note lists them.",
    wrong: "batch_size = 128",
    right: "batch = 128",
  },
  NET3004: {
    title: "a required setting is missing",
    explanation:
      "Every recipe sets its `epochs`, its `batch` and its `optimizer`. `schedule` (default: " +
      "constant) and `seed` (default: 0) are optional.",
    wrong: "train Base of AlexNet {\n  epochs = 90\n}",
    right:
      "train Base of AlexNet {\n  epochs = 90\n  batch = 128\n" +
      "  optimizer = sgd(lr=0.01, momentum=0.9)\n}",
  },
  NET3005: {
    title: "an unknown optimizer",
    explanation: "`optimizer` names an optimizer that netc does not have.",
    wrong: "optimizer = sdg(lr=0.01)",
    right: "optimizer = sgd(lr=0.01)",
  },
  NET3006: {
    title: "an unknown learning rate schedule",
    explanation: "`schedule` names a learning rate schedule that netc does not have.",
    wrong: "schedule = StepLR(every=30 epochs, gamma=0.1)",
    right: "schedule = step(every=30 epochs, gamma=0.1)",
  },
  NET3007: {
    title: "an unknown data source",
    explanation: "A split reads its images from a data source that netc does not have.",
    wrong: 'train ImageFolder("data/train") { }',
    right: 'train folder("data/train") { }',
  },
  NET3008: {
    title: "an unknown transform",
    explanation: "A split uses a transform that netc does not have.",
    wrong: "CenterCrop(224) -> hflip",
    right: "center_crop(224) -> hflip",
  },
  NET3009: {
    title: "a model that cannot be trained",
    explanation: "Training minimizes a loss; a model without a loss can only predict.",
    wrong: "model M {\n  ...\n  linear(10) as logits\n}\ntrain Base of M { ... }",
    right:
      "model M {\n  ...\n  linear(10) as logits\n" +
      "  loss cross_entropy(logits, label)\n}\ntrain Base of M { ... }",
  },
  NET3010: {
    title: "normalization for another number of channels",
    explanation:
      "`normalize` takes one mean and one standard deviation " +
      "for each channel of the model's input.",
    wrong: "input image: f32[N, 3, 32, 32]\nnormalize(mean=[0.5], std=[0.25])",
    right:
      "input image: f32[N, 3, 32, 32]\nnormalize(mean=[0.5, 0.5, 0.5], std=[0.25, 0.25, 0.25])",
  },
  NET3011: {
    title: "images and input have different sizes",
    explanation:
      "The transforms of a split must produce images of exactly the size of the model's " +
      "input.",
    wrong: "input image: f32[N, 3, 227, 227]\nresize(256) -> center_crop(224)",
    right: "input image: f32[N, 3, 227, 227]\nresize(256) -> center_crop(227)",
  },
  NET3012: {
    title: "a schedule longer than the run",
    explanation:
      "A part of the schedule begins or ends after the last epoch, so it has no effect or is " +
      "incomplete.",
    wrong: "epochs = 20\nschedule = step(every=30 epochs, gamma=0.1)",
    right: "epochs = 90\nschedule = step(every=30 epochs, gamma=0.1)",
    severity: "warning",
  },
  NET3013: {
    title: "an unknown split",
    explanation:
      "Data has a `train` split, on which the network trains, and an `eval` split, on which " +
      "it is evaluated.",
    wrong: 'test folder("data/val") { }',
    right: 'eval folder("data/val") { }',
  },
  NET3014: {
    title: "data without a train split",
    explanation: "A recipe trains on the `train` split of its data, so there must be one.",
    wrong: 'data Photos { eval folder("data/val") { } }\ntrain Base of M on Photos { ... }',
    right:
      'data Photos {\n  train folder("data/train") { }\n' +
      '  eval folder("data/val") { }\n}\ntrain Base of M on Photos { ... }',
  },
  NET3015: {
    title: "schedules in a wrong order",
    explanation:
      "Schedules follow one another with `->`. `warmup` can only be the first, and every other " +
      "schedule but the last says with `until=` where the next one begins, counted from the " +
      "start of the run. `reduce_on_plateau` follows evaluations and cannot be part of a sequence.",
    wrong: "schedule = cosine(to=0) -> warmup(5 epochs)",
    right: "schedule = warmup(5 epochs) -> cosine(to=0)",
  },
  NET3016: {
    title: "data made for another model",
    explanation:
      "`data ... for MODEL` says for which model's input the transforms prepare images. A " +
      "recipe for another model needs separate data, or data without `for`.",
    wrong: "data Digits for LeNet { ... }\ntrain Base of AlexNet on Digits { ... }",
    right: "data Digits for LeNet { ... }\ntrain Base of LeNet on Digits { ... }",
  },
  NET3017: {
    title: "a data format that does not fit the model",
    explanation:
      "Some formats have a fixed content: CIFAR-10 has color images of 10 classes, MNIST's " +
      "IDX files have images with one channel.",
    wrong: 'input image: f32[N, 1, 32, 32]\ntrain cifar10("data/cifar-10") { }',
    right: 'input image: f32[N, 3, 32, 32]\ntrain cifar10("data/cifar-10") { }',
  },
  NET3018: {
    title: "a crop larger than the image",
    explanation:
      "A crop cuts a square out of the image. `padding` makes the image larger by this many " +
      "pixels on every side first.",
    wrong: "resize(200) -> center_crop(224)",
    right: "resize(256) -> center_crop(224)",
  },
  NET3019: {
    title: "nesterov without momentum",
    explanation:
      "Nesterov momentum evaluates the gradient ahead, in the direction of the momentum; " +
      "without momentum there is no such direction.",
    wrong: "optimizer = sgd(lr=0.01, nesterov=true)",
    right: "optimizer = sgd(lr=0.01, momentum=0.9, nesterov=true)",
  },
  NET3020: {
    title: "data that do not fit a numeric target",
    explanation:
      "A model with a numeric target (`f32[N, ...]`) learns numbers, not classes. A table holds " +
      "them: `label` of `csv` names a column for each number, in the order of the target. Other " +
      "data give each image a class: train on those from your own program, with `step(images, " +
      "targets)` of the compiled module. An autoencoder needs no target: `mse(out, image)` " +
      "compares with the images.",
    wrong: 'target place: f32[N, 2]\n...\ntrain csv("houses.csv")',
    right: 'target place: f32[N, 2]\n...\ntrain csv("houses.csv", label=["x", "y"])',
  },
  NET3021: {
    title: "a recipe without data",
    severity: "warning",
    explanation:
      "`train NAME of MODEL on DATA` names the data that a recipe trains on. Without data, " +
      "`netc train` has nothing to read; only your own program can use the recipe, with " +
      "`fit` of netc/runtime.",
    wrong: "data Digits for LeNet { ... }\ntrain Base of LeNet { ... }",
    right: "data Digits for LeNet { ... }\ntrain Base of LeNet on Digits { ... }",
  },
  NET3022: {
    title: "a pattern that matches no weights",
    explanation:
      "`freeze` and similar settings name weights as `netc summary` prints them: a layer " +
      "(`features.conv1`), a section (`features.*`), or one kind of weight (`*.bias`; a `*` " +
      "matches one part of a name or several). A pattern without matches would silently " +
      "train weights that you want to keep.",
    wrong: "freeze = [feature.*]",
    right: "freeze = [features.*]",
  },
  NET3023: {
    title: "nothing is left to train",
    explanation:
      "All weights of the model are frozen, or the gradient of the loss ends at a `stop` before " +
      "it comes to any of them. Training would change nothing.",
    wrong: "freeze = [features.*, classifier.*]",
    right: "freeze = [features.*]",
  },
  NET3072: {
    title: "a teacher that is not a section by itself",
    explanation:
      "`teacher = load(FILE, into=SECTION)` names a section with all layers of a trained model. " +
      "Losses compare with its values. It is left out of the saved weights, so that nothing " +
      "that the network predicts may depend on it: layers behind the section begin with `from`.",
    wrong: 'teacher = load("runs/big/best.safetensors", into=nothing)',
    right: "optimizer = sgd(lr=0.1)",
  },
  NET3024: {
    title: "data for a model with several inputs or targets",
    explanation:
      "Most data sources give one image and one label for each example. `csv` reads any number " +
      "of inputs and targets from a table: docs/guides/tables.md. " +
      "`triplets` and `siamese` give several: docs/guides/metric-learning.md. For other models, " +
      "leave out the data, compile the model, and give it arrays by name from JavaScript: " +
      "`net.step({ left, right }, { kind, shift })`, or `fit` with batches " +
      "`{ images: { left, right }, targets: { kind, shift } }`. " +
      "docs/guides/several-inputs.md has a complete program.",
    wrong: "train Base of Siamese on Pairs { ... }",
    right: "train Base of Siamese { ... }",
  },
  NET3027: {
    title: "columns of a table that do not fit the inputs and targets",
    explanation:
      "`csv` gives each input and target the columns that are named after its name, as many as " +
      "it has numbers. One input may go without: it has all other columns. One target may go " +
      "without, too: it has the column, or the columns, that `label` names. " +
      '`"x*"` names all columns that match, in the order of the table that is trained on. ' +
      "Both splits name and standardize the same columns.",
    wrong: 'input left: f32[N, 2]\ninput right: f32[N, 2]\n...\ntrain csv("pairs.csv")',
    right:
      "input left: f32[N, 2]\ninput right: f32[N, 2]\n...\n" +
      'train csv("pairs.csv", left=["a", "b"], right=["c", "d"], label="same")',
  },
  NET3025: {
    title: "data that do not fit the target, or its loss",
    explanation:
      "A target `u32[N, height, width]` has a class for each pixel: its data are " +
      '`pairs("images", "masks")`, two folders with files of the same names. Boxes come from ' +
      "`boxes`. Crops and flips change image and mask alike, and colors only the image. " +
      "Transforms that mix images have no meaning for masks. A padded crop, `rotation` and " +
      "`affine` need `cross_entropy(..., ignore=255)`, since the pixels around a mask have no " +
      "class. Mixed images have two labels, and `focal` takes one. `classes=[...]` has one name " +
      "for each class of the target.",
    wrong: 'target mask: u32[N, 32, 32] in 0..3\n...\neval folder("data/val")',
    right: 'target mask: u32[N, 32, 32] in 0..3\n...\neval pairs("data/images", "data/masks")',
  },
  NET3026: {
    title: "triplets of a model whose recall is not measured",
    severity: "warning",
    explanation:
      "Evaluations on triplets compare the embeddings of all anchors and measure `recall_at_1`, " +
      "by which the best weights are chosen. The model must predict one value that depends on " +
      "the input `anchor` alone. Without a loss of a target, it predicts the last value of its " +
      "text, or what `from NAME` as the last line before the loss names.",
    wrong: "let gap = distance(own, other) - distance(own, same)\nloss mean(max(1 - gap, 0))",
    right:
      "let gap = distance(own, other) - distance(own, same)\nfrom own\n" +
      "loss mean(max(1 - gap, 0))",
  },
  NET3040: {
    title: "a transform in a place where it does not work",
    explanation:
      "`cutmix`, `mixup` and `mixup_or_cutmix` mix the images of a batch: a train split can " +
      "have one of them, or `one_of` several, as its last transform. `ten_crop` makes ten " +
      "images of each image and averages the predictions: it is for eval splits, and only " +
      "`normalize` can follow it. `one_of` and `random_apply` are for train splits; the " +
      "transforms that they choose from give images of one size, and leave `normalize` alone. " +
      "`color_jitter` and `pca_noise` change colors in the range 0 to 1, so they come before " +
      "`normalize`.",
    wrong: "normalize(mean=mean, std=std) -> color_jitter(0.4)",
    right: "color_jitter(0.4) -> normalize(mean=mean, std=std)",
  },
  NET3041: {
    title: "color noise for grayscale images",
    explanation:
      "`pca_noise` adds a color to each image, along the directions in which the colors of " +
      "photographs vary. It needs red, green and blue channels.",
    wrong: "input image: f32[N, 1, 28, 28]\npca_noise(0.1)",
    right: "input image: f32[N, 3, 224, 224]\npca_noise(0.1)",
  },
  NET3050: {
    title: "a weights file with other shapes than the model",
    explanation:
      "`load` fills each weight of the model from the tensor of the same name, which must " +
      "have the same shape. docs/interop.md describes how other names are matched; `rename` " +
      "names the pairs that netc cannot match. `except` names weights that keep their " +
      "initial values, such as a new classifier for other classes.",
    wrong: 'weights = load("alexnet.safetensors")  // of 1000 classes, for a model of 102',
    right: 'weights = load("alexnet.safetensors", except=[classifier.logits.*])',
  },
  NET3051: {
    title: "a weights file that does not exist",
    severity: "warning",
    explanation:
      "`load` gives the path of a weights file, relative to the spec. Compiling does not " +
      "need the file, so this is a warning; `netc train` needs it and ends with an error.",
    wrong: 'weights = load("alexnet.safetensor")',
    right: 'weights = load("alexnet.safetensors")',
  },
  NET3052: {
    title: "a file without readable weights",
    explanation:
      "The file that `load` names is neither a safetensors file nor a file of PyTorch's " +
      "`torch.save`, or it is damaged. Only netc in Node reads PyTorch files, and only their " +
      "tensors: it refuses a file with a whole module, or one that needs to run code.",
    wrong: 'weights = load("alexnet.onnx")',
    right: 'weights = load("alexnet.safetensors")',
  },
  NET3053: {
    title: "a weights file with extra tensors",
    severity: "warning",
    explanation:
      "The file has tensors whose names the model does not have. netc ignores them. This is " +
      "right if the file is for a larger model, and wrong if a name is misspelled. netc does " +
      "not warn about names that `except` lists.",
    wrong: 'weights = load("with-head.safetensors")',
    right: 'weights = load("with-head.safetensors", except=[head.*])',
  },
  NET3054: {
    title: "unfreeze without frozen weights",
    explanation:
      "`freeze` names the weights that are frozen at the start; each stage of `unfreeze` " +
      "names some of them to train from then on. If a stage matches no frozen weights, its " +
      "pattern is wrong, or an earlier stage has unfrozen them.",
    wrong: "freeze = [features.*]\nunfreeze = after(5 epochs, [classifier.*])",
    right: "freeze = [features.*]\nunfreeze = after(5 epochs, [features.*])",
  },
  NET3055: {
    title: "unfreeze stages in a wrong order",
    explanation: "The stages of `unfreeze` must be in the order in which they begin.",
    wrong: "unfreeze = after(10 epochs, [features.conv2]) -> after(5 epochs, [features.conv1])",
    right: "unfreeze = after(5 epochs, [features.conv2]) -> after(10 epochs, [features.conv1])",
  },
  NET3056: {
    title: "a setting with a wrong value",
    explanation:
      "`average` takes `ema(...)`, `stop` takes `early_stopping(...)`, " +
      "`best` takes `max(...)` or `min(...)`, `precision` takes " +
      "`f32` or `f16(...)`, `weights` takes `load(...)`, and each stage of `unfreeze` is " +
      "`after(...)`.",
    wrong: "stop = early(patience=5)",
    right: "stop = early_stopping(patience=5)",
  },
  NET3057: {
    title: "`no_decay` without weight decay",
    severity: "warning",
    explanation:
      "`no_decay` excludes weights from weight decay, usually biases and the scales of " +
      "normalization layers. With a weight decay of 0 it has no effect.",
    wrong: "optimizer = sgd(lr=0.1)\nno_decay = [*.bias]",
    right: "optimizer = sgd(lr=0.1, weight_decay=5e-4)\nno_decay = [*.bias]",
  },
  NET3058: {
    title: "more slices than images in a batch",
    explanation:
      "`accumulate` is the number of slices of a batch; netc updates the weights once after " +
      "all slices. Each slice needs at least one image.",
    wrong: "batch = 8\naccumulate = 16",
    right: "batch = 128\naccumulate = 16",
  },
  NET3059: {
    title: "a metric that does not exist",
    explanation:
      "`early_stopping(metric=...)` and `best = max(...)` look at the loss or at one of the " +
      "model's metrics.",
    wrong:
      "metric top1 = accuracy(logits, label)\nstop = early_stopping(patience=5, metric=accuracy)",
    right: "metric top1 = accuracy(logits, label)\nstop = early_stopping(patience=5, metric=top1)",
  },
  NET3060: {
    title: "no eval split to evaluate on",
    severity: "warning",
    explanation:
      "`reduce_on_plateau` and `early_stopping` watch the results of evaluations. Without an " +
      "`eval` split they watch the training loss, which continues to fall while the network " +
      "overfits.",
    wrong: 'data Photos {\n  train folder("data/train") { }\n}\nstop = early_stopping(patience=5)',
    right:
      'data Photos {\n  train folder("data/train") { }\n' +
      '  eval  folder("data/val") { }\n}\nstop = early_stopping(patience=5)',
  },
  NET3061: {
    title: "splits that are normalized differently",
    severity: "warning",
    explanation:
      "The network learns from pixels as the `train` split normalizes them, so the `eval` " +
      "split must use the same means and standard deviations. Otherwise the network receives " +
      "other numbers for the same image, and the accuracy of evaluations is too low, often " +
      "near chance.",
    wrong:
      'train folder("data/train") { normalize(mean=0.5, std=0.25) }\neval  folder("data/val") { }',
    right:
      'train folder("data/train") { normalize(mean=0.5, std=0.25) }\n' +
      'eval  folder("data/val") { normalize(mean=0.5, std=0.25) }',
  },
  NET3062: {
    title: "a pixel mean above 1, or a deviation above 2",
    severity: "warning",
    explanation:
      "Pixels are numbers from 0 to 1 when `normalize` receives them, so their mean is at " +
      "most 1 and their standard deviation at most 0.5. Means such as 123.68 are for pixels " +
      "from 0 to 255: divide the means and the standard deviations by 255. A `std` up to 2 is " +
      "read as a scale: `std=1.00392` is Caffe's `scale: 0.00390625`.",
    wrong: "normalize(mean=123.68, std=58.4)",
    right: "normalize(mean=0.485, std=0.229)",
  },
  NET3063: {
    title: "`resize` alone for an input of fixed size",
    severity: "warning",
    explanation:
      "`resize` scales the shorter side and keeps the aspect ratio of the image. Then only " +
      "images with the aspect ratio of the input fit; the first image with another one ends " +
      "the run. A crop after `resize` gives every image the same size.",
    wrong: "resize(64)",
    right: "resize(64) -> center_crop(64)",
  },
  NET3064: {
    title: "images for an input of features",
    explanation:
      "A model with an input `[N, features]` reads rows of numbers from `csv`: each row " +
      "holds the features and a label. Other sources hold images, and all transforms except " +
      "`normalize` change images.",
    wrong: 'input x: f32[N, 4]\ntrain folder("data/train") { }',
    right: 'input x: f32[N, 4]\ntrain csv("data/train.csv") { }',
  },
  NET3065: {
    title: "batch normalization over a single example",
    severity: "warning",
    explanation:
      "In training, `batchnorm` of features uses the mean and variance over the examples of " +
      "a slice. For one example the variance is 0: the layer outputs its bias whatever the " +
      "input, and no layer before it learns. `accumulate` and a memory limit make slices " +
      "smaller than the batch.",
    wrong: "batch = 4\naccumulate = 4",
    right: "batch = 64\naccumulate = 4",
  },
  NET3066: {
    title: "a weight average that is mostly initial weights",
    severity: "warning",
    explanation:
      "`ema(decay)` starts from the initial weights and keeps the fraction `decay` of the " +
      "average in each step: after n steps, `decay^n` of it is still the initial weights. " +
      "Evaluations use the average, so a decay too close to 1 for a short run hides what the " +
      "network has learned. netc warns when the run starts, since the number of steps " +
      "depends on the data.",
    wrong: "average = ema(0.9999)  // in a run of 40 steps",
    right: "average = ema(0.9)  // in a run of 40 steps",
  },
  NET3067: {
    title: "more classes in the model than in the data",
    severity: "warning",
    explanation:
      "Each class is an output of the model. Outputs for classes without training data are " +
      "never right, and the number of classes may be a mistake. netc warns when the run " +
      "starts, since it must read the data first.",
    wrong: "model M(classes: int = 1000) { ... }  // and three class folders",
    right: "train T of M(classes=3) on Photos { ... }",
  },
  NET3068: {
    title: "pixels far below their maximum",
    severity: "warning",
    explanation:
      "`csv` divides pixels by `maximum` (default 255), so that they are in the range 0 to " +
      "1. If the pixels of the file are already between 0 and 1, or between 0 and 16, the " +
      "result is nearly 0. netc warns when the run starts, since it must read the data first.",
    wrong: 'train csv("digits.csv") { }  // with pixels from 0 to 1',
    right: 'train csv("digits.csv", maximum=1) { }',
  },
  NET3069: {
    title: "a setting of batch normalization that does not fit the model",
    severity: "warning",
    explanation:
      "`sync_batchnorm = true` takes the statistics of `batchnorm` layers over the images of all " +
      "ranks, `freeze_statistics` keeps them as they are. In a model without `batchnorm` they " +
      "have no effect. Mean and variance of a layer are kept together: naming one keeps both.",
    wrong: "sync_batchnorm = true  // in a model without `batchnorm`",
    right: "conv(8, kernel=3) -> batchnorm -> relu",
  },
  NET3070: {
    title: "sampling that does not fit the labels",
    severity: "error",
    explanation:
      "`sampling` draws the images of an epoch by their classes. Each image must have one label, " +
      "and `weighted` takes one number for each class, not all of them 0.",
    wrong: "sampling = weighted([1, 4])  // in a model of 3 classes",
    right: "sampling = weighted([1, 4, 1])",
  },
  NET3071: {
    title: "layer-wise rates without weight decay",
    severity: "warning",
    explanation:
      "`lars` and `lamb` scale the step of each parameter by its norm, for large batches. As in " +
      "timm, they do so for parameters with weight decay only, so that biases and scales can be " +
      "left out by `no_decay`. Without weight decay they are plain `sgd` and `adam`, for which " +
      "the usual learning rates of `lars` are far too large.",
    wrong: "optimizer = lars(lr=4, momentum=0.9)",
    right: "optimizer = lars(lr=4, momentum=0.9, weight_decay=1e-4)\nno_decay = [*.bias]",
  },
  NET3073: {
    title: "stochastic weight averaging that cannot work",
    explanation:
      "`swa` gives the mean of the weights at the ends of intervals. Early stopping would end " +
      "the run before the mean is complete. `anneal` needs the learning rate that it leads to, " +
      "and `batches`, of a pass over training data, a `batchnorm` that the pass measures again.",
    wrong: "average = swa(start=8000 steps, every=100 steps)\nstop = early_stopping(patience=3)",
    right: "average = swa(start=8000 steps, every=100 steps)",
  },
  NET3080: {
    title: "steps that do not fit the losses of the model",
    explanation:
      "A model with several losses names them: `loss d = ...` and `loss g = ...`. The recipe has " +
      "a step for each, which names the weights that follow its gradient, as the parameters of " +
      "an optimizer do in PyTorch: `step d { update = discriminator }`. Each weight is updated " +
      "by one step, and the loss of the step depends on it.",
    wrong: "step d { optimizer = adam(lr=2e-4) }",
    right: "step d {\n  update    = discriminator\n  optimizer = adam(lr=2e-4)\n}",
  },
  NET3081: {
    title: "a setting that does not go with steps",
    explanation:
      "A step of training that has parts is taken by one process, in 32 bits, with optimizers of " +
      "one kind, whose learning rates and other settings may differ. Rules that look at " +
      "evaluations wait for a loss that falls, which the losses of two sections that compete do " +
      "not.",
    wrong: "step d { update = discriminator }\nstop = early_stopping(patience=5)",
    right: "step d { update = discriminator }",
  },
  NET3082: {
    title: "weights that no step updates",
    severity: "warning",
    explanation:
      "Of a recipe with steps, each step trains the weights that it names. Those that none of " +
      "them names keep their initial values.",
    wrong: "step d { update = discriminator.conv1 }",
    right: "step d { update = discriminator }",
  },
  NET3083: {
    title: "a metric by formula whose better direction is not said",
    severity: "warning",
    explanation:
      "`best.safetensors` has the weights of the best evaluation by the first metric, or by the " +
      "metric that `stop` watches. Of shares, such as an accuracy, larger values are better, and " +
      "of other numbers smaller ones. Of a formula netc does not know, and takes smaller values " +
      "for better. `best = max(NAME)` says that larger ones are, also to `stop` of this metric; " +
      "`best = min(NAME)` confirms the default.",
    wrong: "metric within = mean(positive(0.05 - abs(out - position)))",
    right: "metric within = mean(positive(0.05 - abs(out - position)))\n...\nbest = max(within)",
  },
  NET3084: {
    title: "a best value that is the worst",
    severity: "error",
    explanation:
      "`best = max(NAME)` keeps the weights of the evaluation with the largest value, and " +
      "`best = min(NAME)` those with the smallest. A loss and errors such as `mse` are better " +
      "when they are smaller, shares such as `accuracy` when they are larger. Of a formula only " +
      "the recipe says which.",
    wrong: "best = max(loss)",
    right: "best = min(loss)",
  },
} as const satisfies CatalogueFamily;
