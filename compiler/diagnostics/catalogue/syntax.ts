import type { CatalogueFamily } from "./entry.js";

/** NET0: the text does not follow the grammar. All of these come from the parser. */
export const syntax = {
  NET0001: {
    title: "something else was expected here",
    explanation:
      "The text is read from left to right, and at this place the grammar allows something else than what stands " +
      "there. The message names what was expected. The rest of the file is still read, as far as it makes sense.",
    wrong: "train Base of LeNet on Digits {\n  epochs 10\n}",
    right: "train Base of LeNet on Digits {\n  epochs = 10\n}",
  },
  NET0002: {
    title: "a bracket is not closed",
    explanation:
      "Each `(`, `[` and `{` needs its `)`, `]` or `}`. Round and square brackets are closed before the next `->` " +
      "or the end of the statement. Where a `}` is missing, the indentation tells which block was left open.",
    wrong: "conv(64, kernel=11 -> relu",
    right: "conv(64, kernel=11) -> relu",
  },
  NET0003: {
    title: "a bracket closes nothing",
    explanation:
      "A `)`, `]` or `}` stands where no bracket of its kind is open: it is one too many, or the opening bracket " +
      "was forgotten.",
    wrong: "conv(64, kernel=11)) -> relu",
    right: "conv(64, kernel=11) -> relu",
  },
  NET0004: {
    title: "a string is not closed",
    explanation:
      'Strings stand between double quotes, `"like this"`, and end on the line they start on. Within a string `\\"` ' +
      "is a quote and `\\\\` a backslash.",
    wrong: 'train folder("data/digits) { normalize(mean=0.5, std=0.5) }',
    right: 'train folder("data/digits") { normalize(mean=0.5, std=0.5) }',
  },
  NET0005: {
    title: "not a number",
    explanation:
      "Numbers are whole (`64`), with a point (`0.5`), or with an exponent (`1e-3`, `5e-4`). There are no " +
      "separators (`1000`, not `1_000`), no hexadecimal numbers, and a unit stands apart from its number: `5 epochs`.",
    wrong: "schedule = warmup(5epochs)",
    right: "schedule = warmup(5 epochs)",
  },
  NET0006: {
    title: "a character that means nothing here",
    explanation:
      "Outside strings and comments a spec is written with letters, digits, `_` and the signs " +
      "`( ) [ ] { } , : = . .. -> + - * / %`. Names are made of the letters a to z and A to Z, digits and `_`, " +
      "because they become names in JavaScript and in weight files. Comments start with `//`.",
    wrong: "conv(64, kernel=3);",
    right: "conv(64, kernel=3)",
  },
  NET0007: {
    title: "a misspelt keyword",
    explanation:
      "A file consists of `const`, `model`, `data` and `train` declarations; a model declares its `input`, `target`, " +
      "`loss` and `metric`. The word here is none of these, but so close to one that the rest was read as if it " +
      "stood there.",
    wrong: "modle LeNet {\n}",
    right: "model LeNet {\n}",
  },
  NET0008: {
    title: "two statements run together",
    explanation:
      "Layers are joined by `->`, or stand on lines of their own; both continue from the previous value. Other " +
      "statements each have a line of their own too.",
    wrong: "conv(64, kernel=3) relu",
    right: "conv(64, kernel=3) -> relu",
  },
  NET0009: {
    title: "a comma is missing or too many",
    explanation:
      "Arguments, parameters and the elements of a list are separated by one comma each. A comma after the last " +
      "is allowed.",
    wrong: "conv(64 kernel=3)",
    right: "conv(64, kernel=3)",
  },
  NET0010: {
    title: "an arrow without a layer",
    explanation:
      "`->` hands the value of the layer on its left to the layer on its right, so both must be there. An arrow at " +
      "the start of a line continues the chain of the line before it. Sections are not joined by arrows: what " +
      "follows a section continues from its last value anyway.",
    wrong: "conv(64, kernel=3) -> -> relu",
    right: "conv(64, kernel=3) -> relu",
  },
  NET0011: {
    title: "a word where it cannot stand",
    explanation:
      "`branch` belongs directly into the block of `concat`, `skip` right behind the block of `residual`; `block` and " +
      "`import` stand outside of models.",
    wrong: "branch pool { maxpool(3, padding=1) }",
    right:
      "concat {\n  branch pool { maxpool(3, stride=1, padding=1) }\n  branch { conv(64, kernel=1) }\n}",
  },
  NET0012: {
    title: "a reserved word used as a name",
    explanation:
      "The words `const`, `model`, `as`, `for`, `true` and `false` cannot be names. All other words can: they are " +
      "keywords only where a statement of theirs may start.",
    wrong: "linear(10) as model",
    right: "linear(10) as logits",
  },
  NET0013: {
    title: "not a declaration",
    explanation:
      "At the top of a file stand `const`, `model`, `data` and `train` declarations and nothing else. Layers belong " +
      "into a model. Where they are inside one at first sight, look for a `}` too many, or a `{` too few, above.",
    wrong: "conv(64, kernel=3) -> relu",
    right: "model Net {\n  conv(64, kernel=3) -> relu\n}",
  },
  NET0014: {
    title: "an empty spec",
    explanation:
      "The file has no declaration: nothing but space and comments, if anything. A spec has at least a model with " +
      "an input and a layer.",
    wrong: "// nothing yet",
    right: "model Net {\n  input image: f32[N, 1, 8, 8]\n  flatten -> linear(10)\n}",
  },
  NET0015: {
    title: "not a text file",
    explanation:
      "The file holds bytes that no text in UTF-8 has: it is an image, an archive, a weights file, or text in another " +
      "encoding. Specs are plain text in UTF-8.",
    wrong: "(bytes that are not text)",
    right: "model Net {\n  input image: f32[N, 1, 8, 8]\n  flatten -> linear(10)\n}",
  },
  NET0016: {
    title: "nested too deeply",
    explanation:
      "Brackets of all kinds may be nested up to 100 deep, and one expression may have up to 250 operators. " +
      "A spec needs five or six; more is most likely a file that was generated by mistake.",
    wrong: "const x = ((((...1...))))",
    right: "const x = 1",
  },
  NET0017: {
    title: "`from` in the middle of a chain",
    explanation:
      "`from NAME` goes back to a named value and starts a chain there. Behind an arrow there is a value already; to " +
      "join both, use `add(NAME)` or `concat(NAME)`, or write the ways as `residual { ... }` or `concat { ... }`.",
    wrong: "conv(64, kernel=1) as stem -> relu -> from stem -> sigmoid",
    right: "conv(64, kernel=1) as stem -> relu\nfrom stem -> sigmoid",
  },
  NET0018: {
    title: "a skip that is neither `auto` nor a block",
    explanation:
      "Behind `residual { ... }`, `skip auto` passes the input on, through a 1x1 convolution and batch normalisation " +
      "where the shapes differ, and `skip { ... }` puts it through layers of your own. Without `skip`, it is passed on as it is.",
    wrong: "residual { conv(64, kernel=3) } skip conv(64, kernel=1)",
    right: "residual { conv(64, kernel=3) } skip { conv(64, kernel=1) }",
  },
} as const satisfies CatalogueFamily;
