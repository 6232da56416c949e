import type { CatalogueFamily } from "./entry.js";

/** NET0: the text does not follow the grammar. All of these come from the parser. */
export const SYNTAX = {
  NET0001: {
    title: "unexpected text",
    explanation:
      "netc reads the text from left to right, and the grammar does not allow the text at " +
      "this place. The message names what was expected. netc still reads the rest of the " +
      "file, as far as it makes sense.",
    wrong: "train Base of LeNet on Digits {\n  epochs 10\n}",
    right: "train Base of LeNet on Digits {\n  epochs = 10\n}",
  },
  NET0002: {
    title: "a bracket is not closed",
    explanation:
      "Each `(`, `[` and `{` needs its `)`, `]` or `}`. " +
      "Round and square brackets are closed before the next `->` " +
      "or the end of the statement. " +
      "Where a `}` is missing, the indentation tells which block was left open.",
    wrong: "conv(64, kernel=11 -> relu",
    right: "conv(64, kernel=11) -> relu",
  },
  NET0003: {
    title: "an unmatched closing bracket",
    explanation:
      "This `)`, `]` or `}` has no matching opening bracket. Remove it, or add the opening " +
      "bracket.",
    wrong: "conv(64, kernel=11)) -> relu",
    right: "conv(64, kernel=11) -> relu",
  },
  NET0004: {
    title: "a string is not closed",
    explanation:
      'Strings are in double quotes, `"like this"`, and end on the line they start on. ' +
      'Within a string, `\\"` is a quote and `\\\\` is a backslash.',
    wrong: 'train folder("data/digits) { normalize(mean=0.5, std=0.5) }',
    right: 'train folder("data/digits") { normalize(mean=0.5, std=0.5) }',
  },
  NET0005: {
    title: "not a number",
    explanation:
      "Numbers are integers (`64`), decimals (`0.5`), or have an exponent (`1e-3`, `5e-4`). " +
      "There are no separators (`1000`, not `1_000`) and no hexadecimal numbers. A space " +
      "separates a number from its unit: `5 epochs`.",
    wrong: "schedule = warmup(5epochs)",
    right: "schedule = warmup(5 epochs)",
  },
  NET0006: {
    title: "a character that is not allowed here",
    explanation:
      "Outside strings and comments a spec is written with letters, digits, `_` and the signs " +
      "`( ) [ ] { } , : = . .. -> + - * / %`. " +
      "Names are made of the letters a to z and A to Z, digits and `_`, " +
      "because they become names in JavaScript and in weight files. Comments start with `//`, " +
      "which divides nothing: `floor(a / b)` does.",
    wrong: "conv(64, kernel=3);",
    right: "conv(64, kernel=3)",
  },
  NET0007: {
    title: "a misspelled keyword",
    explanation:
      "A file consists of `const`, `model`, `data` and `train` declarations; a model " +
      "declares its `input`, `target`, `loss` and `metric`. The word here is not one of these, " +
      "but it is close to one of them, so netc read the rest of the file as if that word had " +
      "been written.",
    wrong: "modle LeNet {\n}",
    right: "model LeNet {\n}",
  },
  NET0008: {
    title: "two statements run together",
    explanation:
      "Join layers with `->`, or write each on a new line: both continue from the previous " +
      "value. Every other statement needs a new line, too.",
    wrong: "conv(64, kernel=3) relu",
    right: "conv(64, kernel=3) -> relu",
  },
  NET0009: {
    title: "a missing or extra comma",
    explanation:
      "Arguments, parameters and the elements of a list are separated by one comma each. " +
      "A comma after the last " +
      "is allowed.",
    wrong: "conv(64 kernel=3)",
    right: "conv(64, kernel=3)",
  },
  NET0010: {
    title: "an arrow without a layer",
    explanation:
      "`->` passes the value of the layer on its left to the layer on its right, so it needs " +
      "both. An arrow at the start of a line continues the chain of the line before it. " +
      "Sections need no arrows: the layers after a section continue from its last value.",
    wrong: "conv(64, kernel=3) -> -> relu",
    right: "conv(64, kernel=3) -> relu",
  },
  NET0011: {
    title: "a keyword that is not allowed here",
    explanation:
      "`branch` is only allowed directly in the block of `concat`, and `skip` directly after " +
      "the block of `residual`. `block` and `import` are only allowed outside of models.",
    wrong: "branch pool { maxpool(3, padding=1) }",
    right:
      "concat {\n  branch pool { maxpool(3, stride=1, padding=1) }\n" +
      "  branch { conv(64, kernel=1) }\n}",
  },
  NET0012: {
    title: "a reserved word used as a name",
    explanation:
      "The words `const`, `model`, `as`, `for`, `true` and `false` cannot be names. " +
      "All other words can: they are " +
      "keywords only where a statement of theirs may start.",
    wrong: "linear(10) as model",
    right: "linear(10) as logits",
  },
  NET0013: {
    title: "not a declaration",
    explanation:
      "The top level of a file has `const`, `import`, `block`, `model`, `data` and `train` " +
      "declarations. Layers belong in a model. If the layers look as if they were in one, " +
      "look above for an extra `}` or a missing `{`.",
    wrong: "conv(64, kernel=3) -> relu",
    right: "model Net {\n  conv(64, kernel=3) -> relu\n}",
  },
  NET0014: {
    title: "an empty spec",
    explanation:
      "The file has no declaration: it is empty, or has only spaces and comments. A spec has " +
      "at least a model with an input and a layer.",
    wrong: "// nothing yet",
    right: "model Net {\n  input image: f32[N, 1, 8, 8]\n  flatten -> linear(10)\n}",
  },
  NET0015: {
    title: "not a text file",
    explanation:
      "The file holds bytes that are not valid UTF-8: it is an image, an archive, a weights " +
      "file, or text in another encoding. Specs are plain text in UTF-8.",
    wrong: "(bytes that are not text)",
    right: "model Net {\n  input image: f32[N, 1, 8, 8]\n  flatten -> linear(10)\n}",
  },
  NET0016: {
    title: "nested too deeply",
    explanation:
      "Brackets of all kinds may be nested up to 100 deep, " +
      "and one expression may have up to 250 operators. " +
      "A spec needs five or six; more is most likely a file that was generated by mistake.",
    wrong: "const x = ((((...1...))))",
    right: "const x = 1",
  },
  NET0017: {
    title: "`from` in the middle of a chain",
    explanation:
      "`from NAME` goes back to a named value and starts a new chain there, but after an " +
      "arrow there is already a value. To join both, use `add(NAME)` or `concat(NAME)`, or " +
      "write the branches as `residual { ... }` or `concat { ... }`.",
    wrong: "conv(64, kernel=1) as stem -> relu -> from stem -> sigmoid",
    right: "conv(64, kernel=1) as stem -> relu\nfrom stem -> sigmoid",
  },
  NET0018: {
    title: "a skip that is neither `auto` nor a block",
    explanation:
      "After `residual { ... }`, `skip auto` passes on the input, through a 1x1 convolution " +
      "and batch normalization where the shapes differ. `skip { ... }` passes it through " +
      "your own layers. Without `skip`, the input is passed on unchanged.",
    wrong: "residual { conv(64, kernel=3) } skip conv(64, kernel=1)",
    right: "residual { conv(64, kernel=3) } skip { conv(64, kernel=1) }",
  },
} as const satisfies CatalogueFamily;
