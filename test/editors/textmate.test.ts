import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { layers } from "../../compiler/layers/index.js";
import { keywords } from "../../compiler/reference/keywords.js";
import { classify, type TokenKind } from "../../grammar/index.js";
import { statementWords } from "../../grammar/tokens.js";
import { examplesOf, specAround } from "../docs/examples.js";
import { meaningsIn } from "./meanings.js";
import { grammarText, scopedPieces } from "./textmate.js";

const root = join(import.meta.dirname, "../..");

interface Named {
  readonly name: string;
  readonly text: string;
}

function textsIn(folder: string, ending: string): readonly Named[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(ending))
    .map((name) => ({ name, text: readFileSync(join(root, folder, name), "utf8") }));
}

const specs = textsIn("specs", ".net");
const shipped = specs.filter(({ name }) => !name.startsWith("errors"));
const wrong = specs.filter(({ name }) => name.startsWith("errors"));

const pages = textsIn("docs", ".md").filter(({ name }) => !name.startsWith("diagnostics"));
const examples = pages.flatMap(({ name, text }) =>
  examplesOf(text)
    .filter(({ isWrong }) => !isWrong)
    .map((example) => ({ name: `${name}:${example.line}`, text: specAround(example) })),
);

const layerSamples: readonly Named[] = layers.flatMap(({ name, samples }) =>
  samples.map(({ spec }) => ({ name, text: `model M {\n  ${spec}\n}\n` })),
);

/** The scope that each kind of token must have among its scopes. */
const SCOPE_OF: Readonly<Record<TokenKind, RegExp>> = {
  keyword: /^keyword\.(declaration|control)\./,
  name: /^(entity\.name|variable|support\.type|keyword\.other\.unit|constant\.language\.batch)\b/,
  number: /^constant\.numeric\./,
  string: /^string\./,
  boolean: /^constant\.language\.boolean\./,
  operator: /^keyword\.operator\./,
  bracket: /^punctuation\.section\./,
  separator: /^punctuation\.(separator|accessor)\./,
  comment: /^comment\.line\.double-slash\./,
  documentation: /^comment\.line\.documentation\./,
};

/** Kinds that a token has whatever is around it. */
const LEXICAL: readonly TokenKind[] = ["number", "string", "comment", "documentation"];

/** Tokens whose color is not that of their kind: `line: token has SCOPES, which is not KIND`. */
async function miscolored(
  text: string,
  kinds = Object.keys(SCOPE_OF) as readonly TokenKind[],
): Promise<readonly string[]> {
  const pieces = await scopedPieces(text);
  return classify(text, "a.net").flatMap(({ kind, text: image, span: { start, end } }) => {
    if (!kinds.includes(kind) || start.line !== end.line) return [];
    return pieces
      .filter((piece) => piece.start < end.offset && piece.end > start.offset)
      .filter(({ scopes }) => !scopes.some((scope) => SCOPE_OF[kind].test(scope)))
      .map(
        ({ scopes }) => `${start.line}: ${image} has [${scopes.join(" ")}], which is not ${kind}`,
      );
  });
}

describe("every token has the color of its kind", () => {
  test.each(shipped)("$name", async ({ text }) => {
    expect(await miscolored(text)).toEqual([]);
  });

  test("in the examples of docs/", async () => {
    expect(examples.length).toBeGreaterThan(50);
    for (const { name, text } of examples) {
      expect(await miscolored(text), `${name}\n${text}`).toEqual([]);
    }
  });

  test.each(layerSamples)("in the sample of $name", async ({ text }) => {
    expect(await miscolored(text)).toEqual([]);
  });

  test("numbers, strings and comments in wrong specs, too", async () => {
    expect(wrong.length).toBeGreaterThan(50);
    for (const { name, text } of wrong) {
      expect(await miscolored(text, LEXICAL), name).toEqual([]);
    }
  });
});

test.each(shipped)("nothing in $name is without a color", async ({ text }) => {
  const pieces = await scopedPieces(text);
  const bare = pieces.filter(({ text, scopes }) => !scopes.some(isLeaf) && text.trim() !== "");
  expect(bare).toEqual([]);
  const wrongly = pieces.filter(({ scopes }) => scopes.join(" ").includes("invalid."));
  expect(wrongly).toEqual([]);
});

/** Scopes that color something; `meta` scopes only say where one is. */
function isLeaf(scope: string): boolean {
  return !scope.startsWith("meta.");
}

/** The scope that fits what the language server says about a name. */
const SCOPE_OF_MEANING: Readonly<Record<string, RegExp>> = {
  class: /^entity\.name\.type\./,
  // A name alone in an argument may be a call, a constant or a choice: `init=kaiming`.
  function: /^(entity\.name\.function|variable\.other)\./,
  namespace: /^entity\.name\.section\./,
  parameter: /^variable\./,
  property: /^variable\.other\.property\./,
  type: /^support\.type\./,
  // The server says of a branch's name only that it is a name.
  variable:
    /^(variable\.other|entity\.name\.section|keyword\.other\.unit|constant\.language\.batch)\b/,
};

test.each(shipped)("names in $name have the color that the server gives them", async (spec) => {
  const pieces = await scopedPieces(spec.text);
  const differing = meaningsIn(spec.text).flatMap(({ type, start, text, line }) => {
    const expected = SCOPE_OF_MEANING[type];
    const { scopes = [] } = pieces.find((piece) => piece.start <= start && start < piece.end) ?? {};
    if (!expected || scopes.some((scope) => expected.test(scope))) return [];
    return [`${line}: ${text} is a ${type} and has [${scopes.join(" ")}]`];
  });
  expect(differing).toEqual([]);
});

describe("words of the language", () => {
  const corpus = [...shipped, ...examples];
  const words = [
    ...keywords.map(({ word }) => word),
    ...statementWords.map(({ name }) => name.toLowerCase()),
  ];
  const isWordOf = (kind: TokenKind) => kind === "keyword" || kind === "operator";
  const used = new Set(
    corpus.flatMap(({ text }) =>
      classify(text, "a.net").flatMap(({ kind, text: word }) => (isWordOf(kind) ? [word] : [])),
    ),
  );

  // So the tests above know a new keyword.
  test.each([...new Set(words)])("`%s` occurs in a spec or in an example of docs/", (word) => {
    expect([...used]).toContain(word);
  });

  test("the grammar knows calls by their form: it lists no layers", () => {
    const listed = new Set(grammarText.match(/[a-z_0-9]+/g));
    const isKeyword = (name: string) => words.includes(name);
    const found = layers.filter(({ name }) => listed.has(name) && !isKeyword(name));
    expect(found.map(({ name }) => name)).toEqual([]);
  });
});

describe("words that are keywords elsewhere are names", () => {
  const contextual = [
    ...["import", "block", "data", "train", "input", "target", "loss", "metric"],
    ...["from", "repeat", "residual", "skip", "concat", "branch", "of", "on", "auto"],
  ];
  const around = {
    "of values": (word: string) =>
      `model M {\n  conv(3) as ${word} -> relu\n  loss mse(${word}, a)\n}`,
    "of arguments": (word: string) => `model M {\n  conv(3, ${word}=4) -> relu(${word}=1)\n}`,
    "of layers": (word: string) =>
      `model M {\n  relu -> ${word} -> ${word}(3)\n  ${word}(3)\n  ${word} -> relu\n}`,
    "of constants": (word: string) => `const ${word} = 3\nconst b = [${word}, 2 * ${word}]`,
    "of parameters": (word: string) => `model M(${word}: int = 3) {\n  conv(${word})\n}`,
    "of settings": (word: string) => `train A of M on D {\n  ${word} = 3\n  ${word} = 5 -> a(1)\n}`,
    "of splits": (word: string) =>
      `data D for M {\n  ${word} folder("a") {\n    flip -> b(2)\n  }\n}`,
    "of models": (word: string) => `model ${word} { relu }\ntrain A of ${word}(a=2) { }`,
    "in comments": (word: string) =>
      `// ${word} { \n/// ${word} a: f32[3]\nmodel M { } // ${word} {`,
  };
  for (const [name, textAround] of Object.entries(around)) {
    test.each(contextual)(`${name}: %s`, async (word) => {
      const text = textAround(word);
      expect(await miscolored(text), text).toEqual([]);
    });
  }
});

describe("colors of", () => {
  async function colorsIn(text: string): Promise<readonly string[]> {
    const pieces = await scopedPieces(text);
    return pieces
      .filter((piece) => piece.text.trim() !== "")
      .map((piece) => `${piece.text.trim()}  ${piece.scopes.at(-1) ?? ""}`);
  }

  test("tensors: their type, the batch and the classes", async () => {
    expect(await colorsIn("model M {\n target t: u32[N, 3] in 0..classes\n}")).toEqual([
      "model  keyword.declaration.model.netc",
      "M  entity.name.type.model.netc",
      "{  punctuation.section.block.begin.netc",
      "target  keyword.declaration.target.netc",
      "t  variable.other.definition.netc",
      ":  punctuation.separator.type.netc",
      "u32  support.type.netc",
      "[  punctuation.section.brackets.begin.netc",
      "N  constant.language.batch.netc",
      ",  punctuation.separator.comma.netc",
      "3  constant.numeric.integer.netc",
      "]  punctuation.section.brackets.end.netc",
      "in  keyword.control.in.netc",
      "0  constant.numeric.integer.netc",
      "..  keyword.operator.range.netc",
      "classes  variable.other.readwrite.netc",
      "}  punctuation.section.block.end.netc",
    ]);
  });

  test("units, factors and patterns of names", async () => {
    const recipe = (setting: string) => `train A of M {\n${setting}\n}`;
    expect(await colorsIn(recipe("schedule = warmup(5 epochs)"))).toContain(
      "epochs  keyword.other.unit.netc",
    );
    expect(await colorsIn(recipe("freeze = [features.conv1, *.bias]"))).toEqual(
      expect.arrayContaining([
        ".  punctuation.accessor.netc",
        "*  keyword.operator.arithmetic.netc",
      ]),
    );
  });

  test("escapes in strings", async () => {
    expect(await colorsIn(String.raw`const a = "a\"b"`)).toContain(
      String.raw`\"  constant.character.escape.netc`,
    );
  });

  test.each(["12abc", "1_000", "1.2.3", "0x10", "'single'", '"open', "# shell", "/* C */"])(
    "what is a mistake: %s",
    async (text) => {
      const scopes = (await scopedPieces(`const a = ${text}`)).at(-1)!.scopes.join(" ");
      expect(scopes).toContain("invalid.illegal.");
    },
  );
});

test.each(["0..10", "[1., .5, 1e-3, 5e-4]", "3 % 2", "a.b", "n - 1", "-1", "[-.5]", "2 == 1.5"])(
  "numbers are those of the lexer: %s",
  async (value) => {
    expect(await miscolored(`const a = ${value}`)).toEqual([]);
  },
);

test("a bracket that is not closed ends where the next model starts", async () => {
  const text = "model A {\n  features {\n    conv(64, kernel=[3\n\nmodel B {\n  relu\n}\n";
  const last = (await scopedPieces(text)).filter(({ line }) => line >= 5);
  const scopes = last.map(({ text: piece, scopes }) => `${piece.trim()} ${scopes.join(" ")}`);
  expect(scopes).toContain("model keyword.declaration.model.netc");
  expect(scopes).toContain("B entity.name.type.model.netc");
  expect(scopes).toContain("relu entity.name.function.netc");
});
