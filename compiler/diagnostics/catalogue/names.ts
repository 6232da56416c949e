import type { CatalogueFamily } from "./entry.js";

/** NET1: names and arguments. */
export const NAMES = {
  NET1001: {
    title: "an unknown layer",
    explanation:
      "A chain names a layer that netc does not have. The message suggests the nearest name; " +
      "netc recognizes the names of PyTorch, Keras and Caffe, and translates them.",
    wrong: "conv2d(64, kernel=3) -> relu",
    right: "conv(64, kernel=3) -> relu",
  },
  NET1002: {
    title: "an unknown argument",
    explanation:
      "A call has an argument that its layer or function does not take. The note lists the " +
      "arguments; netc recognizes the names of other frameworks.",
    wrong: "conv(64, kernel_size=3)",
    right: "conv(64, kernel=3)",
  },
  NET1003: {
    title: "an unknown constant or parameter",
    explanation:
      "An expression uses a name that is neither a `const` of the spec nor a parameter of " +
      "the model.",
    wrong: "const width = 64\nmodel M {\n  ...\n  conv(widht, kernel=3)\n}",
    right: "const width = 64\nmodel M {\n  ...\n  conv(width, kernel=3)\n}",
  },
  NET1004: {
    title: "a duplicate declaration",
    explanation:
      "Constants, models, data, recipes, splits and settings are found by their names, so " +
      "each name can be declared once. A model has one loss.",
    wrong: "const width = 64\nconst width = 96",
    right: "const width = 64\nconst wide = 96",
  },
  NET1005: {
    title: "two parts of a network with one name",
    explanation:
      "Weights are named after sections and layers (`features.conv1.weight`), and a weights " +
      "file uses these names. So two sections or layers cannot have the same full name. netc " +
      "numbers layers without `as`.",
    wrong: "linear(64) as fc -> relu -> linear(10) as fc",
    right: "linear(64) as fc1 -> relu -> linear(10) as fc2",
  },
  NET1006: {
    title: "an argument is given twice",
    explanation:
      "One call gives the same argument twice, for instance once by position and once by " +
      "name.",
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
      "Only the first arguments of a call can be given by position. All others are given by " +
      "name, so that a reader can tell what they mean.",
    wrong: "conv(64, 3, 1, 1)",
    right: "conv(64, 3, stride=1, padding=1)",
  },
  NET1009: {
    title: "an argument of the wrong type",
    explanation:
      "An argument or a setting has a value of the wrong type. Computed values count as " +
      "their result: `7 / 2` is 3.5, which is not an integer.",
    wrong: 'conv("64", kernel=3)',
    right: "conv(64, kernel=3)",
  },
  NET1010: {
    title: "an argument out of its range",
    explanation:
      "An argument or a setting has the right type, but its value is outside the allowed " +
      "range.",
    wrong: "dropout(1.5)",
    right: "dropout(0.5)",
  },
  NET1011: {
    title: "an unknown choice",
    explanation: "Some arguments take one of a few words, written without quotes.",
    wrong: "lrn(5, divide=channels)",
    right: "lrn(5, divide=size)",
  },
  NET1012: {
    title: "a name is used before its declaration",
    explanation:
      "netc reads a spec from top to bottom: it computes constants and builds layers in the " +
      "order in which they are written.",
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
      "Compile-time arithmetic works on integers and floats. Strings, lists and calls cannot " +
      "be added or multiplied.",
    wrong: 'const width = "64" * 2',
    right: "const width = 64 * 2",
  },
  NET1015: {
    title: "a constant that is never used",
    explanation:
      "Nothing in the spec uses this constant. Perhaps another name was written in its place.",
    wrong: "const width = 64\nmodel M {\n  ...\n  conv(32, kernel=3)\n}",
    right: "const width = 64\nmodel M {\n  ...\n  conv(width, kernel=3)\n}",
    severity: "warning",
    isUnnecessary: true,
  },
  NET1016: {
    title: "an unknown loss",
    explanation: "A model's `loss` names a function that netc does not have.",
    wrong: "loss crossentropy(logits, label)",
    right: "loss cross_entropy(logits, label)",
  },
  NET1017: {
    title: "an unknown metric",
    explanation: "A model's `metric` names a function that netc does not have.",
    wrong: "metric top5 = topk(logits, label, k=5)",
    right: "metric top5 = accuracy(logits, label, k=5)",
  },
  NET1018: {
    title: "an unknown initializer",
    explanation:
      "`init` and `bias_init` take one of netc's initializers; " +
      "without them a layer starts as it would in PyTorch.",
    wrong: "conv(64, kernel=3, init=gaussian(0.01))",
    right: "conv(64, kernel=3, init=normal(0.01))",
  },
  NET1019: {
    title: "an unknown type",
    explanation:
      "Inputs hold `f32`, or tokens, `u32[N, T] in 0..count`. Parameters of a model are `int`, " +
      "`float` or `bool`.",
    wrong: "input image: float[N, 3, 224, 224]",
    right: "input image: f32[N, 3, 224, 224]",
  },
  NET1020: {
    title: "a parameter without a value",
    explanation:
      "A model with a parameter that has no default cannot be checked or compiled alone: a " +
      "recipe must give the parameter a value.",
    wrong: "model M(classes: int) { ... }",
    right: "model M(classes: int = 10) { ... }",
  },
  NET1021: {
    title: "an unknown value",
    explanation:
      "A loss or a metric compares a named value of the model with its target. `as NAME` " +
      "after a layer names its output.",
    wrong: "linear(10)\nloss cross_entropy(logits, label)",
    right: "linear(10) as logits\nloss cross_entropy(logits, label)",
  },
  NET1022: {
    title: "not supported yet",
    explanation:
      "This part of the language is planned, but this version of netc does not support it.",
    wrong: "precision = bf16",
    right: "precision = f16",
  },
  NET1023: {
    title: "an unknown model or recipe on the command line",
    explanation: "`--model` or `--train` names something that the spec does not declare.",
    wrong: "netc compile alexnet.net --model AlexNett",
    right: "netc compile alexnet.net --model AlexNet",
    withoutSpec: "it needs a spec and a wrong option",
  },
  NET1024: {
    title: "a block that contains itself",
    explanation:
      "netc replaces each use of a block with the layers of the block, so a block that uses " +
      "itself, directly or through another, would never end. To repeat layers, use `repeat`.",
    wrong: "block deep(out: int) { conv(out, kernel=3) -> deep(out) }",
    right: "block pair(out: int) { repeat 2 { conv(out, kernel=3) -> relu } }",
  },
  NET1025: {
    title: "a block or function that is never used",
    severity: "warning",
    isUnnecessary: true,
    explanation:
      "Nothing in this file uses the block or function. Remove it, or use it like a layer. netc " +
      "does not warn about those of a file without a model, since other files import them.",
    wrong: "block basic(out: int) { conv(out, kernel=1) }\nmodel Net { ... }",
    right: "block basic(out: int) { conv(out, kernel=1) }\nmodel Net { ... basic(64) ... }",
  },
  NET1026: {
    title: "a block or function with the name of a layer",
    explanation:
      "Blocks and functions are used like layers, so they cannot have the name of a layer or of " +
      "a function of formulas: a reader could not tell them apart.",
    wrong: "block conv(out: int) { ... }",
    right: "block conv_relu(out: int) { ... }",
  },
  NET1027: {
    title: "a loop over something that is not a list",
    explanation:
      "`for` takes one element of a list or a range in each iteration. With several names in " +
      "parentheses, each element must be a tuple of this many values.",
    wrong: "for (width, n) in [64, 128] { ... }",
    right: "for (width, n) in [(64, 1), (128, 2)] { ... }",
  },
  NET1028: {
    title: "a repeat count that is not an integer",
    explanation: "`repeat` needs an integer of at least 0 that is known at compile time.",
    wrong: "repeat 2.5 { conv(64, kernel=3) }",
    right: "repeat 2 { conv(64, kernel=3) }",
  },
  NET1029: {
    title: "too many layers",
    explanation:
      "Nested loops and blocks multiply the number of layers. netc allows 10,000 layers; " +
      "more are most likely a mistake.",
    wrong: "repeat 10000 { repeat 10000 { relu } }",
    right: "repeat 10 { relu }",
  },
  NET1030: {
    title: "an import that cannot be read",
    explanation:
      "Paths are relative to the importing file. As a library, netc reads files only through " +
      "the option `readImport`.",
    wrong: 'import { basic } from "./block.net"',
    right: 'import { basic } from "./blocks.net"',
  },
  NET1031: {
    title: "a circular import",
    explanation:
      "A file cannot import itself, directly or through others. Move what both files need " +
      "into a third.",
    wrong: 'import { a } from "./b.net"  // and b.net imports from this file',
    right: 'import { a } from "./shared.net"',
  },
  NET1032: {
    title: "an imported name that the file does not have",
    explanation:
      "Blocks, functions and constants can be imported, by the names that their file gives " +
      "them. `as` gives them another name here.",
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
      "`add`, `multiply` and `concat` join the current value with other values. Name those " +
      "first with `as` after a layer, or use the layer's full name.",
    wrong: "conv(64, kernel=1) -> add",
    right: "conv(64, kernel=1) as left -> relu -> add(left)",
  },
  NET1035: {
    title: "a list that is too long",
    explanation:
      "A list holds at most 10,000 values and is nested at most 16 deep. Lists of lists " +
      "multiply: a constant that names another list twice is twice as long.",
    wrong:
      "const a = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" +
      "const b = [a, a, a, a, a, a, a, a, a, a]  // and so on up to e",
    right: "const widths = [64, 128, 256, 512]",
  },
  NET1036: {
    title: "a number that is too large",
    explanation:
      "Integers are exact up to 2^53 - 1 = 9007199254740991, as in JavaScript; other numbers " +
      "reach 1.8e308. netc refuses larger numbers, which would be rounded silently. It " +
      "checks computed values, too.",
    wrong: "conv(999999999999999999999999999999, kernel=3)",
    right: "conv(64, kernel=3)",
  },
  NET1037: {
    title: "layers nested too deeply",
    explanation:
      "Sections, loops, branches and blocks can be nested up to 100 deep, including blocks " +
      "that use other blocks. More is most likely a file that was generated by mistake.",
    wrong: "block b1 { b2 }\nblock b2 { b3 }  // and so on up to b1000",
    right: "block b1 { conv(64, kernel=3) -> relu }",
  },
  NET1038: {
    title: "shared layers that are never applied",
    severity: "warning",
    isUnnecessary: true,
    explanation:
      "`share tower { ... }` only declares layers. They become part of the network when a " +
      "chain uses `tower`.",
    wrong: "share tower { conv(64, kernel=3) }  // and nothing uses tower",
    right: "share tower { conv(64, kernel=3) }\nfrom left -> tower as a\nfrom right -> tower as b",
  },
  NET1039: {
    title: "shared layers that are not allowed here",
    explanation:
      "A model applies its shared layers by their name alone. Blocks and other shared layers " +
      "cannot use them. Their name must differ from the names of layers and blocks.",
    wrong: "from left -> tower(64)",
    right: "from left -> tower",
  },
  NET1040: {
    title: "a formula that cannot be computed",
    explanation:
      "A formula computes each element of a value from the same elements of other values, with " +
      "`+ - * / ^`, comparisons, functions such as `exp` and `max`, activations, and numbers. It " +
      "has no layers, and reads at most 5 values. Only formulas of losses and metrics read " +
      "targets.",
    wrong: "conv(64, kernel=3) as x\nlet y = x * batchnorm(x)",
    right: "conv(64, kernel=3) as x -> batchnorm as normal\nlet y = x * normal",
  },
  NET1041: {
    title: "a function with parameters that make no sense",
    explanation:
      "A parameter without a type takes a value of the network; it has no default, and a " +
      "function needs at least one. A parameter with a type, `int`, `float` or `bool`, takes a " +
      "number that is known when compiling, and may have a default.",
    wrong: "fn swish(x, beta = 1) = x * sigmoid(beta * x)",
    right: "fn swish(x, beta: float = 1) = x * sigmoid(beta * x)",
  },
  NET1042: {
    title: "a condition that is not true or false",
    explanation:
      "`if` decides when netc compiles the network, from constants, parameters and loop " +
      "variables. Its condition is a comparison or a parameter of type `bool`. To choose between " +
      "values of the network element by element, use `where` in a formula.",
    wrong: "for n in [0, 2] {\n  if n { conv(64, kernel=3) }\n}",
    right: "for n in [0, 2] {\n  if n > 0 { conv(64, kernel=3) }\n}",
  },
} as const satisfies CatalogueFamily;
