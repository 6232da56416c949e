/** A keyword, for completion and hover. */
export interface Keyword {
  readonly word: string;
  readonly summary: string;
  /** How it is used, as a snippet whose `${1:...}` are to be filled in. */
  readonly snippet: string;
}

/** What a file declares. */
export const DECLARATION_KEYWORDS: readonly Keyword[] = [
  {
    word: "model",
    summary:
      "a network: its input, its layers from top to bottom, what it is trained to make small",
    snippet:
      "model ${1:Net}(classes: int = ${2:10}) {\n  input  image: f32[N, ${3:3, 224, 224}]\n" +
      "  target label: u32[N] in 0..classes\n\n  $0\n\n" +
      "  loss   cross_entropy(logits, label)\n  metric top1 = accuracy(logits, label)\n}",
  },
  {
    word: "block",
    summary: "layers to be used under one name, like a layer",
    snippet: "block ${1:name}(${2:out: int}) {\n  $0\n}",
  },
  {
    word: "fn",
    summary: "a formula under a name, for `let`, chains and losses",
    snippet: "fn ${1:name}(${2:x}) = $0",
  },
  {
    word: "const",
    summary: "a value that is known when compiling",
    snippet: "const ${1:name} = $0",
  },
  {
    word: "import",
    summary: "takes blocks and constants from another file",
    snippet: 'import { $2 } from "./${1:blocks}.net"',
  },
  {
    word: "data",
    summary: "what a model is trained and evaluated on",
    snippet:
      'data ${1:Name} for ${2:Model} {\n  train folder("${3:data/train}") { $0 }\n' +
      '  eval  folder("${4:data/val}") { }\n}',
  },
  {
    word: "train",
    summary: "a recipe: how a model is trained on data",
    snippet:
      "train ${1:Base} of ${2:Model} on ${3:Data} {\n  epochs    = ${4:90}\n" +
      "  batch     = ${5:128}\n  optimizer = sgd(lr=${6:0.01}, momentum=0.9)\n}",
  },
];

/** What a model has in addition to its layers. */
export const MODEL_KEYWORDS: readonly Keyword[] = [
  {
    word: "input",
    summary: "what the network receives; `N` is the batch",
    snippet: "input ${1:image}: f32[N, ${2:3, 224, 224}]",
  },
  {
    word: "target",
    summary: "what the network should make of it: classes of images",
    snippet: "target ${1:label}: u32[N] in 0..${2:classes}",
  },
  {
    word: "output",
    summary: "values that the model predicts, where its losses do not say which",
    snippet: "output ${1:logits}, ${2:features}",
  },
  { word: "loss", summary: "the objective to minimize", snippet: "loss $0" },
  {
    word: "metric",
    summary: "what is measured in addition to the loss",
    snippet: "metric ${1:top1} = $0",
  },
  {
    word: "share",
    summary: "layers that are applied to several values, each time with the same weights",
    snippet: "share ${1:tower} {\n  $0\n}",
  },
];

/** What starts a statement among layers. */
export const STATEMENT_KEYWORDS: readonly Keyword[] = [
  {
    word: "repeat",
    summary: "the same layers several times, one after the other",
    snippet: "repeat ${1:2} {\n  $0\n}",
  },
  {
    word: "let",
    summary: "a value computed from others by a formula",
    snippet: "let ${1:y} = $0",
  },
  {
    word: "parameter",
    summary: "trained numbers that do not depend on the input",
    snippet: "parameter ${1:positions}: f32[${2:197, 768}] init normal(${3:0.02})",
  },
  {
    word: "for",
    summary: "layers once for each value of a list or range",
    snippet: "for ${1:width} in [${2:64, 128}] {\n  $0\n}",
  },
  {
    word: "if",
    summary: "layers that depend on a condition of constants",
    snippet: "if ${1:stride > 1} {\n  $0\n}",
  },
];

export const ELSE_KEYWORD: Keyword = {
  word: "else",
  summary: "the layers where the condition of `if` is false",
  snippet: "else {\n  $0\n}",
};

/** What is allowed wherever a layer is. */
export const CHAIN_KEYWORDS: readonly Keyword[] = [
  { word: "from", summary: "continues from a named value", snippet: "from $0" },
  {
    word: "residual",
    summary: "a residual connection: adds the input to the output of its layers",
    snippet: "residual {\n  $0\n}",
  },
  {
    word: "concat",
    summary: "concatenates parallel branches of the same input: channels, or `axis=rows`",
    snippet: "concat {\n  branch { $1 }\n  branch { $2 }\n}",
  },
  {
    word: "split",
    summary: "divides the channels over branches, and concatenates what they make of them",
    snippet: "split {\n  branch { }\n  branch { $1 }\n}",
  },
];

export const BRANCH_KEYWORD: Keyword = {
  word: "branch",
  summary: "one of the branches that `concat` or `split` joins",
  snippet: "branch { $0 }",
};

export const SKIP_KEYWORD: Keyword = {
  word: "skip",
  summary: "the other way of `residual`: `auto` is a 1x1 convolution where the shapes differ",
  snippet: "skip ${1:auto}",
};

export const AS_KEYWORD: Keyword = {
  word: "as",
  summary: "names the layer's output, and its weights",
  snippet: "as ${1:name}",
};

/** What joins conditions. */
const CONDITION_KEYWORDS: readonly Keyword[] = [
  { word: "and", summary: "true where both conditions are", snippet: "and $0" },
  { word: "or", summary: "true where one of two conditions is, or both", snippet: "or $0" },
  { word: "not", summary: "true where the condition is false", snippet: "not $0" },
];

/** Words of headers. */
const HEADER_KEYWORDS: readonly Keyword[] = [
  { word: "in", summary: "the values of a loop, or the classes of a target", snippet: "in $0" },
  { word: "of", summary: "the model that is trained", snippet: "of $0" },
  { word: "on", summary: "the data that it is trained on", snippet: "on $0" },
  {
    word: "auto",
    summary: "the input itself if the shapes agree, else a 1x1 convolution and batch normalization",
    snippet: "auto",
  },
];

/** Every keyword. */
export const keywords: readonly Keyword[] = [
  ...[...DECLARATION_KEYWORDS, ...MODEL_KEYWORDS, ...STATEMENT_KEYWORDS, ...CHAIN_KEYWORDS],
  ...[ELSE_KEYWORD, BRANCH_KEYWORD, SKIP_KEYWORD, AS_KEYWORD],
  ...[...CONDITION_KEYWORDS, ...HEADER_KEYWORDS],
];
