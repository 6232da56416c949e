import { describe, expect, test } from "vitest";
import type { ModelMember, Spec } from "../../grammar/index.js";
import { parse } from "../../grammar/index.js";

function parseClean(text: string): Spec {
  const { spec, problems } = parse(text, "test.net");
  expect(problems).toEqual([]);
  return spec;
}

function membersOf(body: string): readonly ModelMember[] {
  const [model] = parseClean(`model M {\n${body}\n}`).declarations;
  if (model?.kind !== "model") throw new Error("no model");
  return model.members;
}

/** The messages and fixes of a model's body. */
function problemsOf(body: string) {
  return parse(`model M {\n${body}\n}`, "a").problems.map(({ code, message, fixes }) => ({
    code,
    message,
    fixes: fixes.map(({ title }) => title),
  }));
}

/** What a syntax tree holds, as compact text. */
function outline(member: unknown): string {
  const node = member as Record<string, unknown> & { kind: string };
  const list = (items: unknown) => (items as unknown[]).map(outline).join("; ");
  const name = (id: unknown) => (id as { name: string }).name;
  const as = node.alias ? ` as ${name(node.alias)}` : "";
  switch (node.kind) {
    case "chain":
      return (node.elements as unknown[]).map(outline).join(" -> ");
    case "call":
      return name(node.callee) + ((node.arguments as unknown[]).length ? "()" : "") + as;
    case "from":
      return `from ${(node.path as unknown[]).map(name).join(".")}`;
    case "residual":
      return `residual { ${list(node.members)} } ${outline(node.skip)}${as}`;
    case "identity":
    case "auto":
      return node.kind;
    case "body":
      return `skip { ${list(node.members)} }`;
    case "concat":
      return `concat { ${list(node.branches)} }${as}`;
    case "branch":
      return `branch${node.name ? ` ${name(node.name)}` : ""} { ${list(node.members)} }`;
    case "section":
      return `${name(node.name)} { ${list(node.members)} }`;
    case "repeat":
      return `repeat ${outline(node.count)} { ${list(node.members)} }`;
    case "for":
      return (
        `for ${(node.names as unknown[]).map(name).join(", ")} ` +
        `in ${outline(node.values)} { ${list(node.members)} }`
      );
    case "number":
      return String(node.value);
    case "name":
      return node.name as string;
    case "range":
      return `${outline(node.from)}..${outline(node.to)}`;
    case "list":
      return `[${list(node.elements)}]`;
    case "tuple":
      return `(${list(node.elements)})`;
    default:
      return node.kind;
  }
}

describe("joins", () => {
  test.each([
    ["residual { conv(1) -> relu }", "residual { conv() -> relu } identity"],
    ["residual { a\nb } skip auto as sum -> relu", "residual { a; b } auto as sum -> relu"],
    [
      "conv(1) -> residual {\n a\n}\nskip {\n b -> c\n}\n-> relu",
      "conv() -> residual { a } skip { b -> c } -> relu",
    ],
    ["residual { repeat 2 { a } }", "residual { repeat 2 { a } } identity"],
    ["concat { branch { a } branch pool { b } }", "concat { branch { a }; branch pool { b } }"],
    [
      "concat {\n  branch { }\n  branch { a -> b }\n} as both",
      "concat { branch {  }; branch { a -> b } } as both",
    ],
    ["from stem -> relu", "from stem -> relu"],
    ["from features.conv2\n-> relu", "from features.conv2 -> relu"],
    ["concat(a, b) -> add(c)", "concat() -> add()"],
    [
      "residual(1) -> branch -> skip -> from -> repeat",
      "residual() -> branch -> skip -> from -> repeat",
    ],
    ["residual\n{ a }", "residual { a } identity"],
  ])("%s", (body, expected) => {
    expect(membersOf(body).map(outline).join("\n")).toBe(expected);
  });

  test("`skip` and `branch` name sections no more than keywords do", () => {
    expect(outline(membersOf("skip -> branch")[0])).toBe("skip -> branch");
  });
});

describe("loops", () => {
  test.each([
    ["repeat 3 { a }", "repeat 3 { a }"],
    ["repeat n { a }", "repeat n { a }"],
    ["repeat (n - 1) { a }", "repeat binary { a }"],
    ["repeat max(n, 1) { a }", "repeat max() { a }"],
    ["for width in [64, 128] { a }", "for width in [64; 128] { a }"],
    ["for i in 0..4 { a }", "for i in 0..4 { a }"],
    ["for (w, n) in [(64, 2),\n (128, 3)] { a }", "for w, n in [(64; 2); (128; 3)] { a }"],
    ["for w in widths { stage { a } }", "for w in widths { stage { a } }"],
    ["s { for w in [1] { repeat 2 { a } } }", "s { for w in [1] { repeat 2 { a } } }"],
  ])("%s", (body, expected) => {
    expect(membersOf(body).map(outline).join("\n")).toBe(expected);
  });
});

describe("declarations", () => {
  test("a block has parameters with defaults, and documentation", () => {
    const [block] = parseClean(
      "/// Two of them.\nblock basic(out: int, stride: int = 1) { a -> b }",
    ).declarations;
    expect(block).toMatchObject({
      kind: "block",
      name: { name: "basic" },
      documentation: "Two of them.",
      parameters: [
        { name: { name: "out" } },
        { name: { name: "stride" }, defaultValue: { value: 1 } },
      ],
      members: [{ kind: "chain" }],
    });
    expect(parseClean("block plain { a }").declarations).toMatchObject([{ parameters: [] }]);
  });

  test("an import names what it takes, on one line or several", () => {
    for (const text of [
      'import { basic, bottleneck as wide } from "./blocks.net"',
      'import {\n  basic,\n  bottleneck as wide,\n} from "./blocks.net"',
    ]) {
      expect(parseClean(text).declarations).toMatchObject([
        {
          kind: "import",
          names: [
            { name: { name: "basic" } },
            { name: { name: "bottleneck" }, alias: { name: "wide" } },
          ],
          path: { value: "./blocks.net" },
        },
      ]);
    }
  });

  test("a loss is an expression, over several lines too", () => {
    const sum = "loss a(x, y)\n  + 0.3 * b(z, y) +\n  0.1 * c(z)";
    expect(membersOf(sum)).toMatchObject([
      { kind: "loss", value: { kind: "binary", operator: "+" } },
    ]);
  });

  test("comparisons bind least", () => {
    const [declaration] = parseClean("const x = a + 1 <= 2 * b").declarations;
    expect(declaration).toMatchObject({
      value: { operator: "<=", left: { operator: "+" }, right: { operator: "*" } },
    });
  });
});

describe("mistakes", () => {
  test.each([
    ["repaet 3 { a }", "NET0007", "write `repeat`"],
    ["fro i in 0..4 { a }", "NET0007", "write `for`"],
    ["residual { a } skpi auto", "NET0007", "write `skip`"],
    ["concat { brnach { a } }", "NET0007", "write `branch`"],
    ["concat { conv(1) }", "NET0001", undefined],
    ["skip { a }", "NET0011", undefined],
    ["branch { a }", "NET0011", undefined],
    ["a -> from b -> c", "NET0017", "start a new line"],
    ["residual { a } skip conv(1)", "NET0018", "put it into a block"],
    ["block b { a }", "NET0011", undefined],
    ["residual { input x: f32[N] }", "NET0001", undefined],
    ["for i in range(4) a", "NET0001", undefined],
    ["a -> residual { b", "NET0002", "insert `}`"],
    ["residual {\n    a\n  relu", "NET0002", "insert `}`"],
  ])("%s", (body, code, fix) => {
    const problems = problemsOf(`  ${body}`);
    expect(problems).toMatchObject([{ code }]);
    expect(problems[0]?.fixes[0]).toBe(fix);
  });

  test.each([
    ["blokc basic(out: int) { a }", "write `block`"],
    ['improt { a } from "./b.net"', "write `import`"],
    ['import { a } form "./b.net"', "write `from`"],
    ['import { a } "./b.net"', "insert `from`"],
    ["import { a } from b", undefined],
  ])("%s", (text, fix) => {
    const { problems } = parse(`${text}\nmodel M { a }\n`, "a");
    expect(problems).toHaveLength(1);
    expect(problems[0]?.fixes[0]?.title).toBe(fix);
  });
});
