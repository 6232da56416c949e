import { describe, expect, test } from "vitest";
import { portOf } from "../../compiler/ir/graph.js";
import { outlineOf } from "../../compiler/network/outline.js";
import { print } from "../../compiler/network/print.js";
import { applyEdits } from "../../compiler/semantics/check-fixes.js";
import { analyze, type AnalyzedModel } from "../../compiler/semantics/index.js";
import { formatSpec } from "../../format/index.js";

const specOf = (body: string, before = "") =>
  `${before}model M {\n  input x: f32[N, 8, 6, 4]\n${body}\n}`;

function modelOf(body: string, before = ""): AnalyzedModel {
  const { diagnostics, models } = analyze(specOf(body, before), "m.net");
  expect(diagnostics.map(({ message }) => message)).toEqual([]);
  return models[0]!;
}

const layersOf = (body: string, before = "") =>
  modelOf(body, before).layers.map(({ name, output }) => `${name} ${output?.join("x")}`);

const mistakes = (body: string, before = "") =>
  analyze(specOf(body, before), "m.net").diagnostics.map(({ code, message }) => [code, message]);

const DOWN = `
block down(stride: int, isWide: bool = false) {
  if stride > 1 { avgpool(stride) }
  else if isWide { conv(16, kernel=1) as c }
  else {
    relu
    if stride == 1 { tanh }
  }
}
`;

describe("if", () => {
  test.each([
    ["down(2)", ["down1.avgpool1 8x3x2"]],
    ["down(1, isWide=true)", ["down1.c 16x6x4"]],
    ["down(1)", ["down1.relu1 8x6x4", "down1.tanh1 8x6x4"]],
  ])("%s has the layers of the first true condition", (body, layers) => {
    expect(layersOf(body, DOWN)).toEqual(layers);
  });

  test("in a loop decides in each turn, and numbers only the layers it takes", () => {
    const body = "for i in 0..4 { if i % 2 == 0 { conv(i + 1, kernel=1) as c } else { relu } }";
    expect(layersOf(body)).toEqual(["c1 1x6x4", "relu1 1x6x4", "c2 3x6x4", "relu2 3x6x4"]);
  });

  test("of a body that is not taken, values and shapes do not count", () => {
    const body = `
      const_free(3)
      if false { linear(5) -> maxpool(99) as far -> conv(8 / 3, kernel=1) -> add(far) }
      if false { from far -> relu }
      if 1 > 2 { glu } else { relu as kept }
      from kept -> tanh`;
    const before = "block const_free(n: int) { if n % 2 == 0 { conv(n / 2, kernel=1) } }\n";
    expect(layersOf(body, before)).toEqual(["kept 8x6x4", "tanh1 8x6x4"]);
  });

  test("of a body that is not taken, names are checked", () => {
    const body = `
      relu
      if false { cnov(8) -> conv(8, kernl=3) -> conv(widht, kernel=1) }
      else if true { relu }
      else { from nowhere -> relu }`;
    expect(mistakes(body).map(([code]) => code)).toEqual([
      ...["NET1001", "NET1002", "NET1003", "NET1021"],
    ]);
  });

  test("a value of a body that is not taken does not exist outside of it", () => {
    expect(mistakes("relu\nif false { tanh as t }\nadd(t)").map(([code]) => code)).toEqual([
      "NET1021",
    ]);
  });

  test.each([
    ["if 2 { relu }", "NET1042", "`if` needs true or false, not the integer 2"],
    ['if "yes" { relu }', "NET1042", '`if` needs true or false, not the string "yes"'],
    ["relu as a\nif a > 1 { relu }", "NET1003", "there is no constant or parameter `a`"],
  ])("%s", (body, code, message) => {
    expect(mistakes(body)).toEqual([[code, expect.stringContaining(message)]]);
  });

  test.each([
    ["relu\nelse { relu }", "`else` belongs right behind the block of `if`"],
    ["if true relu", "expected `{`"],
    ["if true { input y: f32[N, 3] }", "`input` is only allowed directly in the model, not in"],
  ])("%s is a mistake of syntax", (body, message) => {
    const found = mistakes(body);
    expect(found.map(([, text]) => text).join("\n")).toContain(message);
  });

  test("is laid out on lines, with `else` behind the brace", async () => {
    const text = "model M {\nif 1>0 {relu}\nelse if 2 > 1 { // why\ntanh }\nelse\n{ }\n}\n";
    expect(await formatSpec(text)).toBe(
      "model M {\n  if 1 > 0 {\n    relu\n" +
        "  } else if 2 > 1 {\n    // why\n    tanh\n  } else { }\n}\n",
    );
    expect(await formatSpec("model M {\nif 1 > 0 { relu }\n}\n")).toBe(
      "model M {\n  if 1 > 0 { relu }\n}\n",
    );
  });

  test("hundreds side by side do not nest, hundreds of `else` do", () => {
    expect(layersOf("if 1 > 2 { relu }\n".repeat(400) + "tanh")).toEqual(["tanh1 8x6x4"]);
    const chain = `if 1 > 2 { relu }${" else if 1 > 2 { relu }".repeat(400)}`;
    expect(mistakes(chain).map(([code]) => code)).toEqual(["NET0016"]);
  });
});

/** The text after the first fix of each mistake, until there are none. */
function mended(text: string): string {
  const fixes = analyze(text, "m.net").diagnostics.flatMap((found) => found.fixes.slice(0, 1));
  const edits = fixes.flatMap((fix) => fix.edits);
  return edits.length === 0 ? text : mended(applyEdits(text, edits));
}

describe("and, or, not", () => {
  const layers = (condition: string) => layersOf(`relu\nif ${condition} { tanh }`).length === 2;

  test.each([
    ["true or true and false", true],
    ["(true or true) and false", false],
    ["not true or true", true],
    ["not (true or true)", false],
    ["not false and false", false],
    ["not 2 == 3", true],
    ["not not true", true],
    ["1 + 1 == 2 and 3 * 2 > 5", true],
    ["1 > 2 or 2 > 3 or 4 > 3", true],
  ])("%s is %s, as in Python", (condition, expected) => {
    expect(layers(condition)).toBe(expected);
  });

  test("where the left side decides, the right one needs no value, but names that exist", () => {
    expect(layers("false and 1 / 0 > 2")).toBe(false);
    expect(layers("true or 1 / 0 > 2")).toBe(true);
    expect(mistakes("if true or 1 / wdith > 2 { relu }").map(([code]) => code)).toEqual([
      "NET1003",
    ]);
    expect(mistakes("conv(where(true, 8, wdith), kernel=1)").map(([code]) => code)).toEqual([
      "NET1003",
    ]);
    expect(mistakes("if true and 1 / 0 > 2 { relu }").map(([code]) => code)).toEqual(["NET1013"]);
  });

  test("go wherever constants are expected", () => {
    const body = "for i in 0..3 { conv(8, kernel=1, bias=i > 0 and not i == 2) as c }";
    expect(modelOf(body).layers.map(({ call }) => call?.includes("bias=false"))).toEqual([
      ...[true, false, true],
    ]);
  });

  test.each([
    ["2 and true", "`and` needs true or false, but gets the integer 2"],
    ["true and 2", "`and` needs true or false, but gets the integer 2"],
    ["not 2", "`not` needs true or false, but gets the integer 2"],
    ['"a" or true', '`or` needs true or false, but gets the string "a"'],
    ["1 < 2 < 3", "comparisons do not chain: `and` joins two of them"],
    ["1 > 2 && 2 > 1", "`&&` means nothing here: write `and`"],
    ["1 > 2 || 2 > 1", "`||` means nothing here: write `or`"],
    ["!true", "`!` means nothing here: write `not`"],
    ["1 === 2", "`===` means nothing here: write `==`"],
    ["and", "expected a value after `if`, but found `and`"],
    ["1 > 2 and", "expected a value after `and`, but a block starts"],
  ])("if %s", (condition, message) => {
    const found = mistakes(`if ${condition} { relu }`).map(([, text]) => text);
    expect(found.join("\n")).toContain(message);
  });

  test.each([
    ["1 > 0&&2 > 1", "1 > 0 and 2 > 1"],
    ["!(1 > 0) || !true", "not (1 > 0) or not true"],
    ["(1 > 0) & ~(2 > 1)", "(1 > 0) and not (2 > 1)"],
    ["1 !== 2", "1 != 2"],
    ["0 < 1 + 2 < 4 <= 5", "0 < 1 + 2 and 1 + 2 < 4 and 4 <= 5"],
    ["3 and true", "3 != 0 and true"],
  ])("%s is mended to %s", (condition, expected) => {
    const text = specOf(`relu\nif ${condition} { tanh }`);
    expect(mended(text)).toBe(specOf(`relu\nif ${expected} { tanh }`));
  });

  test("are laid out with the parentheses that they need", async () => {
    const formatted = async (value: string) =>
      (await formatSpec(`const c = ${value}\n`)).slice("const c = ".length, -1);
    expect(await formatted("((a and b)) or (not(c))")).toBe("a and b or not c");
    expect(await formatted("(a or b) and not (c and d)")).toBe("(a or b) and not (c and d)");
    expect(await formatted("a and (b and c)")).toBe("a and (b and c)");
    expect(await formatted("not (a == b)")).toBe("not a == b");
    expect(await formatted("(not a) == b")).toBe("(not a) == b");
    expect(await formatted("a == (b and c)")).toBe("a == (b and c)");
    expect(await formatted("-(not a)")).toBe("-(not a)");
  });

  test("are reserved", () => {
    expect(mistakes("relu as and").map(([code]) => code)).toEqual(["NET0012"]);
    expect(layersOf("relu as origin")).toEqual(["origin 8x6x4"]);
  });
});

describe("where of constants", () => {
  test("is the value that is chosen; the other need not have one", () => {
    const body = "for n in [0, 2] { conv(where(n > 0, 4 / n, 5), kernel=1) as c }";
    expect(layersOf(body)).toEqual(["c1 5x6x4", "c2 2x6x4"]);
    expect(layersOf("conv(8, kernel=where(true, [1, 3], 5)) as c")).toEqual(["c 8x6x2"]);
  });

  test("needs a condition and both values", () => {
    expect(mistakes("conv(where(1, 2, 3), kernel=1)")).toEqual([
      ["NET1014", "`where` needs a condition, but gets the integer 1"],
    ]);
    expect(mistakes("conv(where(1 > 0, 2), kernel=1)")).toEqual([
      ["NET1014", "`where` takes 3 values without names, as in `where(width > 64, 2, 1)`"],
    ]);
  });
});

describe("split", () => {
  test("divides the channels evenly, and joins what the branches make", () => {
    const body = "split { branch { } branch right { conv(6, kernel=1) } } as s -> relu";
    expect(layersOf(body)).toEqual([
      ...["branch1.slice1 4x6x4", "right.slice1 4x6x4", "right.conv1 6x6x4"],
      ...["s 10x6x4", "relu1 10x6x4"],
    ]);
    const { layers } = modelOf(body);
    expect(layers.map(({ call }) => call).filter((call) => call?.startsWith("slice"))).toEqual([
      "slice(channels, end=4)",
      "slice(channels, start=4, end=8)",
    ]);
  });

  test.each([
    ["split(sizes=[1, 5, 2]) { branch { } branch { } branch { } }", "8x6x4"],
    ["split([6, 2]) { branch { conv(3, kernel=1) } branch { } }", "5x6x4"],
    ["split(axis=rows) { branch { relu } branch { maxpool([3, 1]) } }", "8x4x4"],
    ["split(axis=columns, sizes=[1, 3]) { branch { relu } branch { slice(columns, 1) } }", "8x6x3"],
    ["tokens -> split(axis=tokens, sizes=[1, 23]) { branch { linear(8) } branch { } }", "24x8"],
    ["flatten -> split { branch { linear(3) } branch { } }", "99"],
  ])("%s gives %s", (body, shape) => {
    const { layers, graph } = modelOf(body);
    expect(layers.at(-1)!.output?.join("x")).toBe(shape);
    expect(portOf(graph!, "prediction").shape.slice(1).join("x")).toBe(shape);
  });

  test("branches read values of those before them", () => {
    const body = `split(sizes=[2, 2, 4]) {
      branch a { conv(2, kernel=1) as y }
      branch b { add(a.y) -> conv(2, kernel=1) as y }
      branch { }
    }`;
    expect(layersOf(body)).toContain("b.add1 2x6x4");
  });

  test("prints as a network of slices, which is the same", () => {
    const { network } = modelOf("split { branch { } branch { relu } }");
    const again = analyze(print(network!), "printed.net").selected!.model.network!;
    expect(outlineOf(again)).toEqual(outlineOf(network!));
  });

  test.each([
    [
      "split { branch { } branch { } branch { } }",
      ["NET2036", "`split` cannot divide 8 channels evenly over 3 branches"],
    ],
    [
      "split(sizes=[3, 4]) { branch { } branch { } }",
      ["NET2036", "the sizes of `split` add up to 7 channels, but it receives 8"],
    ],
    [
      "split(sizes=[8]) { branch { } branch { } }",
      ["NET2036", "`split` has 2 branches, but 1 sizes"],
    ],
    [
      "split(axis=tokens) { branch { } branch { } }",
      ["NET2035", "`split`: [N, 8, 6, 4] has no tokens"],
    ],
    ["split(size=2) { branch { } branch { } }", ["NET1002", "`split` has no argument `size`"]],
    ["split { }", ["NET2020", "`split` has no branches to join"]],
    [
      "split(axis=rows) { branch { conv(3, kernel=1) } branch { } }",
      ["NET2019", "`split` joins rows, everything else must agree"],
    ],
  ])("%s", (body, [code, message]) => {
    expect(mistakes(body)).toEqual([[code, expect.stringContaining(message!)]]);
  });

  test("keeps its arguments and its line when it is laid out", async () => {
    const text =
      "model M {\nsplit( [ 2,6 ],axis = rows ) {branch {relu} branch{ }} as s->relu\n}\n";
    expect(await formatSpec(text)).toBe(
      "model M {\n  split([2, 6], axis=rows) { branch { relu } branch { } } as s -> relu\n}\n",
    );
  });
});
