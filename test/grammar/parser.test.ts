import { Lexer } from "chevrotain";
import { describe, expect, test } from "vitest";
import type { Chain, Expression, ModelDeclaration, Section, Spec } from "../../grammar/index.js";
import { parse } from "../../grammar/index.js";
import { SpecParser } from "../../grammar/parser.js";
import { lexedTokens } from "../../grammar/tokens.js";
import { callsOf } from "../work.js";
import { ALEXNET_TEXT } from "./alexnet-text.js";

function parseClean(text: string): Spec {
  const { spec, problems } = parse(text, "test.net");
  expect(problems).toEqual([]);
  return spec;
}

function modelOf(spec: Spec): ModelDeclaration {
  const model = spec.declarations.find((declaration) => declaration.kind === "model");
  if (!model) throw new Error("no model");
  return model;
}

function layersOf(body: string): string[][] {
  const { members } = modelOf(parseClean(`model M {\n${body}\n}`));
  return members
    .filter((member): member is Chain => member.kind === "chain")
    .map(({ elements }) =>
      elements.map((each) => (each.kind === "call" ? each.callee.name : each.kind)),
    );
}

function valueOf(text: string): Expression {
  const [declaration] = parseClean(`const x = ${text}`).declarations;
  if (declaration?.kind !== "const") throw new Error("no constant");
  return declaration.value;
}

/** Expressions with all their parentheses. */
function print(value: Expression): string {
  switch (value.kind) {
    case "number":
      return `${value.value}${value.unit ? ` ${value.unit.name}` : ""}`;
    case "name":
      return value.name;
    case "pattern":
      return value.segments.join(".");
    case "range":
      return `(${print(value.from)} .. ${print(value.to)})`;
    case "tuple":
      return `(${value.elements.map(print).join(", ")})`;
    case "list":
      return `[${value.elements.map(print).join(", ")}]`;
    case "unary":
      return `(-${print(value.operand)})`;
    case "binary":
      return `(${print(value.left)} ${value.operator} ${print(value.right)})`;
    case "call":
      return `${value.callee.name}(${value.arguments
        .map((each) => `${each.name ? `${each.name.name}=` : ""}${print(each.value)}`)
        .join(", ")})`;
    case "sequence":
      return value.calls.map(print).join(" -> ");
    default:
      return JSON.stringify(value.value);
  }
}

test("the tokens and the grammar are sound", () => {
  expect(new Lexer(lexedTokens, { ensureOptimizations: true }).lexerDefinitionErrors).toEqual([]);
  expect(() => new SpecParser({ skipValidations: false })).not.toThrow();
});

test("AlexNet has all its parts", () => {
  const spec = parseClean(ALEXNET_TEXT);
  expect(
    spec.declarations.map((each) => `${each.kind} ${each.kind === "import" ? "" : each.name.name}`),
  ).toEqual([
    "const rgb_mean",
    "const rgb_std",
    "model AlexNet",
    "data ImageNet",
    "train Base",
    "train Flowers",
  ]);
  const { members, parameters } = modelOf(spec);
  expect(parameters[0]).toMatchObject({ name: { name: "classes" }, type: { name: "int" } });
  expect(members.map(({ kind }) => kind)).toEqual([
    "input",
    "target",
    "section",
    "section",
    "loss",
    "metric",
    "metric",
  ]);
  const [features, classifier] = members.filter(
    (member): member is Section => member.kind === "section",
  );
  expect(features?.members).toHaveLength(5);
  expect(classifier?.members.at(-1)).toMatchObject({ elements: [{ alias: { name: "logits" } }] });
});

test("the work of parsing grows in proportion to the text", async () => {
  const copies = (count: number) =>
    Array.from({ length: count }, (_, index) =>
      ALEXNET_TEXT.replaceAll("AlexNet", `AlexNet${index}`),
    ).join("\n");
  const [once, eightTimes] = [copies(1), copies(8)];
  parse(once, "alexnet.net"); // the parser analyses its grammar on first use
  const one = await callsOf(() => parse(once, "alexnet.net"));
  const eight = await callsOf(() => parse(eightTimes, "alexnet.net"));
  expect(eight / one).toBeLessThan(8.5);
  // 139,000 when this was written: a few milliseconds.
  expect(one).toBeLessThan(200_000);
});

describe("chains", () => {
  test("a new line starts a new chain, a leading or trailing arrow continues one", () => {
    expect(layersOf("conv(1) -> relu\nflatten")).toEqual([["conv", "relu"], ["flatten"]]);
    expect(layersOf("conv(1)\n  -> relu\n\n  -> flatten")).toEqual([["conv", "relu", "flatten"]]);
    expect(layersOf("conv(1) ->\n  relu")).toEqual([["conv", "relu"]]);
  });

  test("lines end nothing within brackets", () => {
    expect(layersOf("conv(\n  64,\n  kernel=3\n) -> relu")).toEqual([["conv", "relu"]]);
    expect(layersOf("conv(64,\n  kernel=[1,\n    2])")).toEqual([["conv"]]);
  });

  test("sections nest, and are on one line or with their brace on the next", () => {
    const { members } = modelOf(parseClean("model M { a { b { relu } } }"));
    expect(members).toMatchObject([{ name: { name: "a" }, members: [{ name: { name: "b" } }] }]);
    parseClean("model M\n{\n  a\n  {\n    relu\n  }\n}");
  });

  test("words that are keywords elsewhere can name layers, values and sections", () => {
    const text =
      "input input: f32[N, 3]\ntrain { linear(1) as target }\n" +
      "loss { relu }\ndata -> loss(in=3, of=2)";
    const { members } = modelOf(parseClean(`model M {\n${text}\n}`));
    expect(members.map(({ kind }) => kind)).toEqual(["input", "section", "section", "chain"]);
  });
});

describe("expressions", () => {
  test.each([
    ["1 + 2 * 3", "(1 + (2 * 3))"],
    ["8 - 4 - 2", "((8 - 4) - 2)"],
    ["(8 - 4) % 3 / -n", "(((8 - 4) % 3) / (-n))"],
    ["- -2", "(-(-2))"],
    ["[features.*, *.bias, a.b.c]", "[features.*, *.bias, a.b.c]"],
    ["step(every=30 epochs, gamma=0.1)", "step(every=30 epochs, gamma=0.1)"],
    ["warmup(5 epochs) -> cosine", "warmup(5 epochs) -> cosine()"],
    ["[[1, 2], [],]", "[[1, 2], []]"],
    ["true", "true"],
  ])("%s", (text, printed) => {
    expect(print(valueOf(text))).toBe(printed);
  });

  test.each([
    ["64", 64, true],
    ["0.5", 0.5, false],
    [".5", 0.5, false],
    ["1.", 1, false],
    ["1e-3", 1e-3, false],
    ["5E4", 5e4, false],
    ["1.5e+2", 150, false],
  ])("the number %s", (text, value, isInteger) => {
    expect(valueOf(text)).toMatchObject({ kind: "number", value, isInteger });
  });

  test.each(["1_000", "12abc", "1.2.3", "0x10", "1e"])("%s is not a number", (text) => {
    const { problems } = parse(`const x = ${text}`, "a");
    expect(problems.map(({ code }) => code)).toEqual(["NET0005"]);
  });

  test("strings keep their backslashes but for quotes and backslashes", () => {
    expect(valueOf(String.raw`"C:\data \"x\" \\"`)).toMatchObject({
      value: String.raw`C:\data "x" ` + "\\",
    });
  });
});

describe("text", () => {
  test("CRLF, tabs, a byte order mark and odd blanks mean nothing", () => {
    const strange = `\ufeff${ALEXNET_TEXT.replaceAll("\n", "\r\n").replaceAll("    ", "\t\u00a0")}`;
    expect(parse(strange, "a").problems).toEqual([]);
    expect(parse(strange, "a").spec.declarations[2]?.span.start.line).toBe(5);
  });

  test("documentation is attached to the declaration below it", () => {
    const text =
      "/// one\n/// two\nmodel M {\n  /// in\n  input x: f32[N]\n  // plain\n  a { relu }\n}";
    const model = modelOf(parseClean(text));
    expect(model.documentation).toBe("one\ntwo");
    expect(
      model.members.map((member) => ("documentation" in member ? member.documentation : undefined)),
    ).toEqual(["in", undefined]);
  });

  test("unicode is welcome in comments and strings, and named where it is not", () => {
    parseClean('// Größe → 網\nconst x = "網/ö"');
    const { problems } = parse("const größe = 1", "a");
    expect(problems).toMatchObject([{ code: "NET0006", span: { start: { column: 9 } } }]);
  });

  test.each([
    ["nothing", ""],
    ["space and comments", " \n\t// x\n"],
  ])("%s is an empty spec", (_, text) => {
    expect(parse(text, "a").problems.map(({ code }) => code)).toEqual(["NET0014"]);
  });

  test.each([
    ["NUL bytes", "model\u0000\u0001\u0002"],
    [
      "bytes that are not UTF-8",
      new TextDecoder().decode(new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 7])),
    ],
  ])("%s make one problem", (_, text) => {
    expect(parse(text, "a").problems.map(({ code }) => code)).toEqual(["NET0015"]);
  });

  test("prose makes one problem", () => {
    const prose =
      "This is a letter\nto everyone who reads letters.\n\nIt has lines (many), and signs: yes!\n";
    expect(parse(prose.repeat(5), "a").problems.length).toBeLessThanOrEqual(2);
  });

  test("very deep brackets are refused before the stack overflows", () => {
    const { problems } = parse(`const x = ${"(".repeat(50_000)}1${")".repeat(50_000)}`, "a");
    expect(problems.map(({ code }) => code)).toEqual(["NET0016"]);
  });
});
