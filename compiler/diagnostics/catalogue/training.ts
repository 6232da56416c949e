import type { CatalogueFamily } from "./entry.js";

/** NET3: train and data declarations. */
export const training = {
  NET3001: {
    title: "a model that does not exist",
    explanation:
      "`data ... for MODEL` and `train ... of MODEL` name a model that the spec declares.",
    wrong: "train Base of AlexNett on ImageNet { ... }",
    right: "train Base of AlexNet on ImageNet { ... }",
  },
  NET3002: {
    title: "data that does not exist",
    explanation: "`train ... on DATA` names a `data` declaration of the spec.",
    wrong: "train Base of AlexNet on Imagenet { ... }",
    right: "train Base of AlexNet on ImageNet { ... }",
  },
  NET3003: {
    title: "a setting that does not exist",
    explanation: "A train declaration has a few settings; the note lists them.",
    wrong: "batch_size = 128",
    right: "batch = 128",
  },
  NET3004: {
    title: "a required setting is missing",
    explanation:
      "Every recipe says for how many `epochs` it runs, its `batch` and its `optimizer`. `schedule` (constant) and `seed` (0) may be left out.",
    wrong: "train Base of AlexNet {\n  epochs = 90\n}",
    right:
      "train Base of AlexNet {\n  epochs = 90\n  batch = 128\n  optimizer = sgd(lr=0.01, momentum=0.9)\n}",
  },
  NET3005: {
    title: "an optimizer that does not exist",
    explanation: "`optimizer` names a way of updating weights that netc does not know.",
    wrong: "optimizer = sdg(lr=0.01)",
    right: "optimizer = sgd(lr=0.01)",
  },
  NET3006: {
    title: "a schedule that does not exist",
    explanation: "`schedule` names a course of the learning rate that netc does not know.",
    wrong: "schedule = StepLR(every=30 epochs, gamma=0.1)",
    right: "schedule = step(every=30 epochs, gamma=0.1)",
  },
  NET3007: {
    title: "a data source that does not exist",
    explanation: "A split reads its images from a source that netc does not know.",
    wrong: 'train ImageFolder("data/train") { }',
    right: 'train folder("data/train") { }',
  },
  NET3008: {
    title: "a transform that does not exist",
    explanation: "A split passes its images through a transform that netc does not know.",
    wrong: "CenterCrop(224) -> hflip",
    right: "center_crop(224) -> hflip",
  },
  NET3009: {
    title: "a model that cannot be trained",
    explanation: "Training makes a loss small; a model without one can only predict.",
    wrong: "model M {\n  ...\n  linear(10) as logits\n}\ntrain Base of M { ... }",
    right:
      "model M {\n  ...\n  linear(10) as logits\n  loss cross_entropy(logits, label)\n}\ntrain Base of M { ... }",
  },
  NET3010: {
    title: "normalisation for another number of channels",
    explanation:
      "`normalize` takes one mean and one standard deviation for each channel of the model's input.",
    wrong: "input image: f32[N, 3, 32, 32]\nnormalize(mean=[0.5], std=[0.25])",
    right:
      "input image: f32[N, 3, 32, 32]\nnormalize(mean=[0.5, 0.5, 0.5], std=[0.25, 0.25, 0.25])",
  },
  NET3011: {
    title: "images of another size than the input",
    explanation:
      "The transforms of a split must hand over images of exactly the size that the model's input declares.",
    wrong: "input image: f32[N, 3, 227, 227]\nresize(256) -> center_crop(224)",
    right: "input image: f32[N, 3, 227, 227]\nresize(256) -> center_crop(227)",
  },
  NET3012: {
    title: "a schedule longer than the run",
    explanation:
      "A part of the schedule begins or ends only after the last epoch, so it does nothing or is cut off.",
    wrong: "epochs = 20\nschedule = step(every=30 epochs, gamma=0.1)",
    right: "epochs = 90\nschedule = step(every=30 epochs, gamma=0.1)",
    severity: "warning",
  },
  NET3013: {
    title: "a split that does not exist",
    explanation:
      "Data has a `train` split, which the network learns from, and an `eval` split, which it is measured on.",
    wrong: 'test folder("data/val") { }',
    right: 'eval folder("data/val") { }',
  },
  NET3014: {
    title: "data without a train split",
    explanation: "A recipe trains on the `train` split of its data, so there must be one.",
    wrong: 'data Photos { eval folder("data/val") { } }\ntrain Base of M on Photos { ... }',
    right:
      'data Photos {\n  train folder("data/train") { }\n  eval folder("data/val") { }\n}\ntrain Base of M on Photos { ... }',
  },
  NET3015: {
    title: "schedules in an order that means nothing",
    explanation:
      "A schedule is one course of the learning rate over the run. Only `warmup` may stand in front of it.",
    wrong: "schedule = cosine(to=0) -> warmup(5 epochs)",
    right: "schedule = warmup(5 epochs) -> cosine(to=0)",
  },
  NET3016: {
    title: "data made for another model",
    explanation:
      "`data ... for MODEL` says whose input the transforms prepare. A recipe for another model needs data of its own, or data without `for`.",
    wrong: "data Digits for LeNet { ... }\ntrain Base of AlexNet on Digits { ... }",
    right: "data Digits for LeNet { ... }\ntrain Base of LeNet on Digits { ... }",
  },
  NET3017: {
    title: "a data format that does not suit the model",
    explanation:
      "Some formats fix what they hold: CIFAR-10 has colour images of 10 classes, MNIST's IDX files have images of one channel.",
    wrong: 'input image: f32[N, 1, 32, 32]\ntrain cifar10("data/cifar-10") { }',
    right: 'input image: f32[N, 3, 32, 32]\ntrain cifar10("data/cifar-10") { }',
  },
  NET3018: {
    title: "a crop larger than the image",
    explanation:
      "A crop cuts a square out of the image that reaches it; with `padding` the image is larger by that much on every side.",
    wrong: "resize(200) -> center_crop(224)",
    right: "resize(256) -> center_crop(224)",
  },
  NET3019: {
    title: "nesterov without momentum",
    explanation:
      "Nesterov's method takes the gradient where the momentum is about to carry the weights; without momentum there is nothing to look ahead along.",
    wrong: "optimizer = sgd(lr=0.01, nesterov=true)",
    right: "optimizer = sgd(lr=0.01, momentum=0.9, nesterov=true)",
  },
  NET3020: {
    title: "data with classes for a model that is trained on numbers",
    explanation:
      "A `data` declaration gives images with a class each. A model whose target is numbers (`f32[N, ...]`) is trained by a program of your " +
      "own, with `step(images, targets)` of the compiled module. An autoencoder needs no target: `mse(out, image)` compares with the images.",
    wrong: "target box: f32[N, 4]\n...\ntrain Base of Boxes on Photographs { ... }",
    right: "target box: f32[N, 4]\n...\ntrain Base of Boxes { ... }",
  },
  NET3021: {
    title: "a recipe without data",
    severity: "warning",
    explanation:
      "`train NAME of MODEL on DATA` says what a recipe trains on. Without it, only a program of your own can use the recipe (`fit` of netc/runtime): " +
      "`netc train` has nothing to read.",
    wrong: "data Digits for LeNet { ... }\ntrain Base of LeNet { ... }",
    right: "data Digits for LeNet { ... }\ntrain Base of LeNet on Digits { ... }",
  },
  NET3022: {
    title: "a pattern that matches no weights",
    explanation:
      "`freeze` and its like name weights as `netc summary` prints them: a whole layer (`features.conv1`), a section (`features.*`), one kind of weight " +
      "(`*.bias`; a `*` is one part of a name or several). A pattern that matches nothing would silently train what you meant to keep.",
    wrong: "freeze = [feature.*]",
    right: "freeze = [features.*]",
  },
  NET3023: {
    title: "nothing is left to train",
    explanation: "Every weight of the model is frozen, so that training would change nothing.",
    wrong: "freeze = [features.*, classifier.*]",
    right: "freeze = [features.*]",
  },
  NET3024: {
    title: "data for a model with several inputs or targets",
    explanation:
      "A source of data gives one image and one label for each example. Write the recipe without data, compile the " +
      "model, and give it arrays by name from JavaScript: `net.step({ left, right }, { kind, shift })`, or " +
      "`fit(net, batches, recipe, { stepsPerEpoch })` with batches `{ images: { left, right }, targets: { kind, " +
      "shift } }`. `net.predict({ left, right })` gives the outputs by name. docs/guides/several-inputs.md has a " +
      "complete program.",
    wrong: "train Base of Siamese on Pairs { ... }",
    right: "train Base of Siamese { ... }",
  },
  NET3040: {
    title: "a transform in a place where it does not work",
    explanation:
      "`cutmix` and `mixup` mix images of a whole batch: they come last, one of them, in a train split. `ten_crop` makes ten images of each, whose " +
      "predictions are averaged: it is for an eval split, and only `normalize` may follow. `color_jitter` and `pca_noise` change colours in 0..1, " +
      "so they come before `normalize`.",
    wrong: "normalize(mean=mean, std=std) -> color_jitter(0.4)",
    right: "color_jitter(0.4) -> normalize(mean=mean, std=std)",
  },
  NET3041: {
    title: "colour noise for images without colours",
    explanation:
      "`pca_noise` adds a colour to each image, along the directions in which the colours of photographs vary. It needs red, green and blue.",
    wrong: "input image: f32[N, 1, 28, 28]\npca_noise(0.1)",
    right: "input image: f32[N, 3, 224, 224]\npca_noise(0.1)",
  },
  NET3050: {
    title: "a weights file of other shapes than the model's",
    explanation:
      "`load` fills each weight of the model from the tensor of the same name, which must have the same shape. Files with other names are matched as " +
      "docs/interop.md describes; `rename` says what they do not. `except` names weights that keep their initial " +
      "values: the head that is trained anew for other classes.",
    wrong: 'weights = load("alexnet.safetensors")  // of 1000 classes, for a model of 102',
    right: 'weights = load("alexnet.safetensors", except=[classifier.logits.*])',
  },
  NET3051: {
    title: "a weights file that is not there",
    severity: "warning",
    explanation:
      "`load` names a weights file by its path from the spec's folder. Compiling does not need it, so this is a warning; `netc train` does, and ends there.",
    wrong: 'weights = load("alexnet.safetensor")',
    right: 'weights = load("alexnet.safetensors")',
  },
  NET3052: {
    title: "a file that holds no weights",
    explanation:
      "The file that `load` names is neither a safetensors file nor one of PyTorch's `torch.save`, or is damaged. Files of PyTorch are read by `netc` in " +
      "Node, and only their tensors: a file that holds a whole module, or wants code to run, is refused.",
    wrong: 'weights = load("alexnet.onnx")',
    right: 'weights = load("alexnet.safetensors")',
  },
  NET3053: {
    title: "a weights file with more than the model has",
    severity: "warning",
    explanation:
      "The file holds tensors whose names the model does not have. They are left out, which is right where the model is a part of another, and a sign of a " +
      "misspelt name where it is not. Names that `except` lists are not warned of.",
    wrong: 'weights = load("with-head.safetensors")',
    right: 'weights = load("with-head.safetensors", except=[head.*])',
  },
  NET3054: {
    title: "weights set free that are not frozen",
    explanation:
      "`freeze` says which weights stay as they are from the start; each stage of `unfreeze` names some of them that are trained from then on. A stage that sets " +
      "nothing free is a mistake in a name, or in the stages before it.",
    wrong: "freeze = [features.*]\nunfreeze = after(5 epochs, [classifier.*])",
    right: "freeze = [features.*]\nunfreeze = after(5 epochs, [features.*])",
  },
  NET3055: {
    title: "stages out of their order",
    explanation: "The stages of `unfreeze` stand in the order in which they begin.",
    wrong: "unfreeze = after(10 epochs, [features.conv2]) -> after(5 epochs, [features.conv1])",
    right: "unfreeze = after(5 epochs, [features.conv2]) -> after(10 epochs, [features.conv1])",
  },
  NET3056: {
    title: "something that a setting does not take",
    explanation:
      "`average` takes `ema(...)`, `stop` takes `early_stopping(...)`, `precision` takes `f32` or `f16(...)`, `weights` takes `load(...)`, and each stage " +
      "of `unfreeze` is `after(...)`.",
    wrong: "stop = early(patience=5)",
    right: "stop = early_stopping(patience=5)",
  },
  NET3057: {
    title: "weights spared from a decay of 0",
    severity: "warning",
    explanation:
      "`no_decay` names weights that weight decay leaves alone, usually biases and the scales of normalisation. Without a weight decay it does nothing.",
    wrong: "optimizer = sgd(lr=0.1)\nno_decay = [*.bias]",
    right: "optimizer = sgd(lr=0.1, weight_decay=5e-4)\nno_decay = [*.bias]",
  },
  NET3058: {
    title: "more slices than images",
    explanation:
      "`accumulate` trains a batch in so many slices, one after the other, with one update for all. A slice needs at least one image.",
    wrong: "batch = 8\naccumulate = 16",
    right: "batch = 128\naccumulate = 16",
  },
  NET3059: {
    title: "a metric that does not exist",
    explanation: "`early_stopping(metric=...)` watches the loss or one of the model's metrics.",
    wrong:
      "metric top1 = accuracy(logits, label)\nstop = early_stopping(patience=5, metric=accuracy)",
    right: "metric top1 = accuracy(logits, label)\nstop = early_stopping(patience=5, metric=top1)",
  },
  NET3060: {
    title: "evaluations are wanted, and there are none",
    severity: "warning",
    explanation:
      "`reduce_on_plateau` and `early_stopping` look at what evaluations give. Without an `eval` split they look at the training loss, which goes on falling while " +
      "the network only learns its images by heart.",
    wrong: 'data Photos {\n  train folder("data/train") { }\n}\nstop = early_stopping(patience=5)',
    right:
      'data Photos {\n  train folder("data/train") { }\n  eval  folder("data/val") { }\n}\nstop = early_stopping(patience=5)',
  },
  NET3061: {
    title: "splits that are normalized differently",
    severity: "warning",
    explanation:
      "The network learns from pixels as the `train` split normalizes them, so the `eval` split has to use the same means and deviations. Otherwise the same " +
      "image comes in as other numbers, and the accuracy of evaluations is too low, often near chance.",
    wrong:
      'train folder("data/train") { normalize(mean=0.5, std=0.25) }\neval  folder("data/val") { }',
    right:
      'train folder("data/train") { normalize(mean=0.5, std=0.25) }\neval  folder("data/val") { normalize(mean=0.5, std=0.25) }',
  },
  NET3062: {
    title: "a mean or deviation of pixels above 1",
    severity: "warning",
    explanation:
      "Pixels are numbers from 0 to 1 when `normalize` receives them, so their mean is at most 1 and their standard deviation at most 0.5. Means such as 123.68 are " +
      "those of pixels from 0 to 255: divide them, and the deviations, by 255.",
    wrong: "normalize(mean=123.68, std=58.4)",
    right: "normalize(mean=0.485, std=0.229)",
  },
  NET3063: {
    title: "`resize` alone for an input of fixed size",
    severity: "warning",
    explanation:
      "`resize` scales the shorter side and keeps the shape of the image. Only images with the shape of the input fit then; the first other one ends the run. A crop " +
      "after it gives every image the same size.",
    wrong: "resize(64)",
    right: "resize(64) -> center_crop(64)",
  },
  NET3064: {
    title: "images for an input of features",
    explanation:
      "A model with an input `[N, features]` reads rows of numbers, which `csv` has: each row holds the features and a label. Other sources hold images, and all " +
      "transforms but `normalize` change images.",
    wrong: 'input x: f32[N, 4]\ntrain folder("data/train") { }',
    right: 'input x: f32[N, 4]\ntrain csv("data/train.csv") { }',
  },
  NET3065: {
    title: "batch normalization over a single example",
    severity: "warning",
    explanation:
      "In training, `batchnorm` of features takes mean and variance over the examples of a slice. Of one example the variance is 0: the layer gives its bias " +
      "whatever comes in, and nothing before it learns. `accumulate` and a memory limit make slices smaller than the batch.",
    wrong: "batch = 4\naccumulate = 4",
    right: "batch = 64\naccumulate = 4",
  },
  NET3066: {
    title: "an average that is mostly initial weights",
    severity: "warning",
    explanation:
      "`ema(decay)` begins with the initial weights and keeps a share `decay` of the average at each step: after n steps, `decay^n` of it is still the initial weights. " +
      "Evaluations use the average, so a decay that is too near 1 for the length of the run hides what was learned. netc says this when the run starts, since the " +
      "number of steps depends on the data.",
    wrong: "average = ema(0.9999)  // in a run of 40 steps",
    right: "average = ema(0.9)  // in a run of 40 steps",
  },
  NET3067: {
    title: "more classes in the model than in the data",
    severity: "warning",
    explanation:
      "Each class is an output of the model. Outputs for classes that the training data do not have are never right, and the numbers of classes may not be those " +
      "that were meant. netc says this when the run starts, since only the data tell.",
    wrong: "model M(classes: int = 1000) { ... }  // and three class folders",
    right: "train T of M(classes=3) on Photos { ... }",
  },
  NET3068: {
    title: "pixels far below their maximum",
    severity: "warning",
    explanation:
      "`csv` divides pixels by `maximum`, 255 unless given, so that they come to 0..1. In a file whose pixels go from 0 to 1 already, or to 16, that makes them all nearly " +
      "0. netc says this when the run starts, since only the data tell.",
    wrong: 'train csv("digits.csv") { }  // with pixels from 0 to 1',
    right: 'train csv("digits.csv", maximum=1) { }',
  },
} as const satisfies CatalogueFamily;
