import type { CatalogueFamily } from "./entry.js";

/** NET1: names and arguments. */
export const names = {
  NET1001: {
    title: "a layer that does not exist",
    explanation:
      "A chain names a layer that netc does not know. The message proposes the nearest name; names that PyTorch, Keras " +
      "and Caffe use are recognised and translated.",
    wrong: "conv2d(64, kernel=3) -> relu",
    right: "conv(64, kernel=3) -> relu",
  },
  NET1002: {
    title: "an argument that does not exist",
    explanation:
      "A call gives an argument that what it calls does not have. The note lists the arguments it has; names that other " +
      "frameworks use are recognised.",
    wrong: "conv(64, kernel_size=3)",
    right: "conv(64, kernel=3)",
  },
  NET1003: {
    title: "a constant or parameter that does not exist",
    explanation:
      "An expression uses a name that is neither a `const` of the spec nor a parameter of the model.",
    wrong: "const width = 64\nmodel M {\n  ...\n  conv(widht, kernel=3)\n}",
    right: "const width = 64\nmodel M {\n  ...\n  conv(width, kernel=3)\n}",
  },
  NET1004: {
    title: "something is declared twice",
    explanation:
      "Constants, models, data, recipes, splits and settings are found by their names, so each name is declared once. A model " +
      "has one target and one loss.",
    wrong: "const width = 64\nconst width = 96",
    right: "const width = 64\nconst wide = 96",
  },
  NET1005: {
    title: "two parts of a network with one name",
    explanation:
      "Weights are named after sections and layers (`features.conv1.weight`), and a file of weights finds them by these names. " +
      "So no two sections and no two layers may have the same full name. Layers without `as` are numbered by themselves.",
    wrong: "linear(64) as fc -> relu -> linear(10) as fc",
    right: "linear(64) as fc1 -> relu -> linear(10) as fc2",
  },
  NET1006: {
    title: "an argument is given twice",
    explanation:
      "One call gives the same argument a second time, for instance once by its position and once by its name.",
    wrong: "conv(64, 3, kernel=5)",
    right: "conv(64, kernel=5)",
  },
  NET1007: {
    title: "a required argument is missing",
    explanation: "Some arguments have no default, because none would be right for most networks.",
    wrong: "conv(64)",
    right: "conv(64, kernel=3)",
  },
  NET1008: {
    title: "too many arguments without a name",
    explanation:
      "Only a call's first arguments may be given by position. All others are given by name, so that a reader can tell what they mean.",
    wrong: "conv(64, 3, 1, 1)",
    right: "conv(64, 3, stride=1, padding=1)",
  },
  NET1009: {
    title: "an argument of the wrong type",
    explanation:
      "An argument or a setting has a value of another type than it needs. Computed values count as they are: " +
      "`7 / 2` is 3.5 and no integer.",
    wrong: 'conv("64", kernel=3)',
    right: "conv(64, kernel=3)",
  },
  NET1010: {
    title: "an argument out of its range",
    explanation: "An argument or a setting has the right type, but a value that makes no sense.",
    wrong: "dropout(1.5)",
    right: "dropout(0.5)",
  },
  NET1011: {
    title: "a choice that does not exist",
    explanation: "Some arguments are one of a few words, written without quotes.",
    wrong: "lrn(5, divide=channels)",
    right: "lrn(5, divide=size)",
  },
  NET1012: {
    title: "a name is used before it exists",
    explanation:
      "A spec is read from top to bottom: constants are computed, and layers are built, in the order in which they are written.",
    wrong: "const wide = 2 * width\nconst width = 64",
    right: "const width = 64\nconst wide = 2 * width",
  },
  NET1013: {
    title: "a division by zero",
    explanation:
      "A compile-time expression divides by 0, or takes the remainder of a division by 0.",
    wrong: "const groups = 0\nconst width = 64 / groups",
    right: "const groups = 2\nconst width = 64 / groups",
  },
  NET1014: {
    title: "an expression that cannot be computed",
    explanation:
      "Compile-time arithmetic works on integers and floats. Strings, lists and calls cannot be added or multiplied.",
    wrong: 'const width = "64" * 2',
    right: "const width = 64 * 2",
  },
  NET1015: {
    title: "a constant that is never used",
    explanation:
      "Nothing in the spec uses this constant. Perhaps another name was written where it was meant.",
    wrong: "const width = 64\nmodel M {\n  ...\n  conv(32, kernel=3)\n}",
    right: "const width = 64\nmodel M {\n  ...\n  conv(width, kernel=3)\n}",
    severity: "warning",
    isUnnecessary: true,
  },
  NET1016: {
    title: "a loss that does not exist",
    explanation: "A model's `loss` names a function that netc does not know.",
    wrong: "loss crossentropy(logits, label)",
    right: "loss cross_entropy(logits, label)",
  },
  NET1017: {
    title: "a metric that does not exist",
    explanation: "A model's `metric` names a function that netc does not know.",
    wrong: "metric top5 = topk(logits, label, k=5)",
    right: "metric top5 = accuracy(logits, label, k=5)",
  },
  NET1018: {
    title: "an initializer that does not exist",
    explanation:
      "`init` and `bias_init` take one of netc's initializers; without them a layer starts as it would in PyTorch.",
    wrong: "conv(64, kernel=3, init=gaussian(0.01))",
    right: "conv(64, kernel=3, init=normal(0.01))",
  },
  NET1019: {
    title: "a type that does not exist",
    explanation: "Inputs hold `f32`. Parameters of a model are `int`, `float` or `bool`.",
    wrong: "input image: float[N, 3, 224, 224]",
    right: "input image: f32[N, 3, 224, 224]",
  },
  NET1020: {
    title: "a parameter without a value",
    explanation:
      "A model with a parameter that has no default cannot be checked or compiled on its own: a recipe must bind it.",
    wrong: "model M(classes: int) { ... }",
    right: "model M(classes: int = 10) { ... }",
  },
  NET1021: {
    title: "a value that does not exist",
    explanation:
      "A loss or a metric is taken of a named value of the model and of its target. `as NAME` after a layer names its output.",
    wrong: "linear(10)\nloss cross_entropy(logits, label)",
    right: "linear(10) as logits\nloss cross_entropy(logits, label)",
  },
  NET1022: {
    title: "not supported yet",
    explanation: "This belongs to netc's language, but this version cannot do it yet.",
    wrong: "optimizer = adam(lr=1e-3)",
    right: "optimizer = sgd(lr=0.01, momentum=0.9)",
  },
  NET1023: {
    title: "a chosen model or recipe does not exist",
    explanation: "`--model` or `--train` names something that the spec does not declare.",
    wrong: "netc compile alexnet.net --model AlexNett",
    right: "netc compile alexnet.net --model AlexNet",
    withoutSpec: "it takes a wrong option beside a spec",
  },
  NET1024: {
    title: "a block that contains itself",
    explanation:
      "A block's layers are put in the place of its use, so a block that uses itself, directly or through another, would have no end. For layers again and again, use `repeat`.",
    wrong: "block deep(out: int) { conv(out, kernel=3) -> deep(out) }",
    right: "block pair(out: int) { repeat 2 { conv(out, kernel=3) -> relu } }",
  },
  NET1025: {
    title: "a block that is never used",
    severity: "warning",
    isUnnecessary: true,
    explanation:
      "Nothing in this file uses the block. Remove it, or use it like a layer. A file without a model is there to be imported from, so its blocks are not warned about.",
    wrong: "block basic(out: int) { conv(out, kernel=1) }\nmodel Net { ... }",
    right: "block basic(out: int) { conv(out, kernel=1) }\nmodel Net { ... basic(64) ... }",
  },
  NET1026: {
    title: "a block with the name of a layer",
    explanation:
      "A block is used like a layer, so it cannot have a layer's name: a reader could not tell them apart.",
    wrong: "block conv(out: int) { ... }",
    right: "block conv_relu(out: int) { ... }",
  },
  NET1027: {
    title: "a loop over something else than a list",
    explanation:
      "`for` takes the elements of a list or of a range, one a turn. With several names in parentheses, each element is a tuple of as many values.",
    wrong: "for (width, n) in [64, 128] { ... }",
    right: "for (width, n) in [(64, 1), (128, 2)] { ... }",
  },
  NET1028: {
    title: "a count that is no count",
    explanation: "`repeat` needs an integer of at least 0 that is known when compiling.",
    wrong: "repeat 2.5 { conv(64, kernel=3) }",
    right: "repeat 2 { conv(64, kernel=3) }",
  },
  NET1029: {
    title: "too many layers",
    explanation:
      "Loops and blocks multiply. Networks of more than 10,000 layers are taken for a mistake.",
    wrong: "repeat 10000 { repeat 10000 { relu } }",
    right: "repeat 10 { relu }",
  },
  NET1030: {
    title: "an import that cannot be read",
    explanation:
      "The file is looked for beside the importing one. Where netc is used as a library, it reads files only through the `readImport` that it is given.",
    wrong: 'import { basic } from "./block.net"',
    right: 'import { basic } from "./blocks.net"',
  },
  NET1031: {
    title: "files that import each other in a circle",
    explanation: "A file cannot need itself. Move what both files need into a third.",
    wrong: 'import { a } from "./b.net"  // and b.net imports from this file',
    right: 'import { a } from "./shared.net"',
  },
  NET1032: {
    title: "an imported name that the file does not have",
    explanation:
      "Blocks and constants can be imported, by the names that their file gives them. `as` gives them another name here.",
    wrong: 'import { basik } from "./blocks.net"',
    right: 'import { basic as basik } from "./blocks.net"',
  },
  NET1033: {
    title: "an import that is never used",
    severity: "warning",
    isUnnecessary: true,
    explanation: "Nothing in this file uses what it imports under this name.",
    wrong: 'import { basic, wide } from "./blocks.net"  // only basic is used',
    right: 'import { basic } from "./blocks.net"',
  },
  NET1034: {
    title: "`add` and the like without a value",
    explanation:
      "`add`, `multiply` and `concat` join the current value with others, which are named first: by the `as` behind a layer, or by its full name.",
    wrong: "conv(64, kernel=1) -> add",
    right: "conv(64, kernel=1) as left -> relu -> add(left)",
  },
  NET1035: {
    title: "a list that is too long",
    explanation:
      "A list holds at most 10,000 values and is nested at most 16 deep. Lists of lists multiply: a constant that names another list twice is twice as long.",
    wrong:
      "const a = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\nconst b = [a, a, a, a, a, a, a, a, a, a]  // and so on up to e",
    right: "const widths = [64, 128, 256, 512]",
  },
  NET1036: {
    title: "a number that is too large",
    explanation:
      "Integers are exact up to 2^53 - 1 = 9007199254740991, as in JavaScript; other numbers reach 1.8e308. " +
      "A larger number would be rounded without a word. Results of computations are checked, too.",
    wrong: "conv(999999999999999999999999999999, kernel=3)",
    right: "conv(64, kernel=3)",
  },
  NET1037: {
    title: "layers nested too deeply",
    explanation:
      "Sections, loops, branches and blocks may be nested up to 100 deep, blocks that use other blocks included. More is most likely " +
      "a file that was generated by mistake.",
    wrong: "block b1 { b2 }\nblock b2 { b3 }  // and so on up to b1000",
    right: "block b1 { conv(64, kernel=3) -> relu }",
  },
  NET1038: {
    title: "shared layers that are never applied",
    severity: "warning",
    isUnnecessary: true,
    explanation:
      "`share tower { ... }` only declares layers. They become part of the network where `tower` stands in a chain.",
    wrong: "share tower { conv(64, kernel=3) }  // and nothing uses tower",
    right: "share tower { conv(64, kernel=3) }\nfrom left -> tower as a\nfrom right -> tower as b",
  },
  NET1039: {
    title: "shared layers in a place that cannot have them",
    explanation:
      "Shared layers are applied by their name alone, in their model: not in blocks, and not in other shared layers. " +
      "Their name must not be that of a layer or a block.",
    wrong: "from left -> tower(64)",
    right: "from left -> tower",
  },
} as const satisfies CatalogueFamily;
