import { describe, expect, test } from "vitest";
import { analyze, type Analysis, type AnalyzedModel } from "../../compiler/semantics/index.js";

const BASIC = `
block basic(out: int, stride: int = 1) {
  residual {
    conv(out, kernel=3, stride=stride, padding=1) -> relu
    conv(out, kernel=3, padding=1)
  } skip { conv(out, kernel=1, stride=stride) }
  relu
}
`;

function analyzeBody(body: string, before = ""): Analysis {
  return analyze(`${before}model M {\n  input image: f32[N, 3, 32, 32]\n${body}\n}`, "m.net");
}

function modelOf(body: string, before = ""): AnalyzedModel {
  const { diagnostics, models } = analyzeBody(body, before);
  expect(diagnostics.map(({ message }) => message)).toEqual([]);
  return models[0]!;
}

const namesOf = (model: AnalyzedModel) => model.layers.map(({ name }) => name);
const shapesOf = (model: AnalyzedModel) => model.layers.map(({ output }) => output?.join("x"));
const weightsOf = ({ graph }: AnalyzedModel) => graph!.parameters.map(({ value }) => value.name);

describe("blocks", () => {
  test("give their layers the use's name, numbered or its own", () => {
    const model = modelOf(
      "  basic(8) -> basic(16, stride=2) as down\n  stage { basic(16) }",
      BASIC,
    );
    expect(namesOf(model).filter((name) => name.includes("conv"))).toEqual([
      ...["basic1.conv1", "basic1.conv2", "basic1.skip1.conv1"],
      ...["down.conv1", "down.conv2", "down.skip1.conv1"],
      ...["stage.basic1.conv1", "stage.basic1.conv2", "stage.basic1.skip1.conv1"],
    ]);
    expect(weightsOf(model)).toContain("stage.basic1.skip1.conv1.weight");
  });

  test("read their parameters in the place of their use, with defaults", () => {
    expect(shapesOf(modelOf("  basic(8)\n  basic(stride=2, out=6)", BASIC)).at(-1)).toBe("6x16x16");
  });

  test("see the constants of their file, not those of a loop around", () => {
    const before = "const width = 5\nblock b(out: int = 2 * width) { conv(out, kernel=1) }\n";
    expect(shapesOf(modelOf("  for width in [1, 2] { b }", before))).toEqual([
      "10x32x32",
      "10x32x32",
    ]);
  });

  test("say which use each layer belongs to", () => {
    const before = `${BASIC}block pair(n: int) { basic(n) -> basic(n) }\n`;
    const { layers } = modelOf("  pair(4)", before);
    expect(layers[0]!.uses.map(({ block, name }) => `${block} ${name}`)).toEqual([
      "pair pair1",
      "basic pair1.basic1",
    ]);
  });

  test("with a mistake are reported once for all their uses", () => {
    const before = "block b(out: int) { conv(out, kernl=1) }\n";
    const { diagnostics } = analyzeBody("  b(1) -> b(2) -> b(3)", before);
    expect(diagnostics).toMatchObject([
      { code: "NET1002", notes: [expect.anything(), "the same is wrong in 2 other uses"] },
    ]);
    expect(diagnostics[0]!.related[0]!.message).toBe("in this use of `b`, `b1`");
  });
});

describe("arguments of blocks", () => {
  test.each([
    ["basic()", "NET1007"],
    ["basic(8, 2, 3)", "NET1008"],
    ["basic(8, strid=2)", "NET1002"],
    ["basic(8, out=2)", "NET1006"],
    ["basic(0.5)", "NET1009"],
    ["basc(8)", "NET1001"],
  ])("%s", (use, code) => {
    const { diagnostics } = analyzeBody(`  ${use}`, BASIC);
    expect(diagnostics.map((each) => each.code)).toEqual([code]);
  });

  test("misspelled names of blocks and arguments are mended", () => {
    for (const use of ["basc(8)", "basic(8, strid=2)"]) {
      expect(analyzeBody(`  ${use}`, BASIC).diagnostics[0]!.fixes).toHaveLength(1);
    }
  });
});

describe("loops", () => {
  test("repeat and for unroll, and number what they name", () => {
    const model = modelOf(
      "  for (width, n) in [(4, 2), (8, 1)] {\n" +
        "    stage { repeat n { conv(width, kernel=3, padding=1) as c -> relu } }\n" +
        "    maxpool(2) as pool\n  }",
    );
    expect(namesOf(model)).toEqual([
      ...["stage1.c1", "stage1.relu1", "stage1.c2", "stage1.relu2", "pool1"],
      ...["stage2.c1", "stage2.relu1", "pool2"],
    ]);
    expect(shapesOf(model).at(-1)).toBe("8x8x8");
  });

  test("go over ranges, lists by name, and computed bounds", () => {
    const before = "const widths = [2, 3]\nconst n = 2\n";
    const body =
      "  for i in 1..n + 2 { conv(2 * i, kernel=1) }\n  for w in widths { conv(w, kernel=1) }\n" +
      "  repeat max(0, n - 2) { relu }";
    expect(shapesOf(modelOf(body, before))).toEqual(
      [2, 4, 6, 2, 3].map((channels) => `${channels}x32x32`),
    );
  });
});

describe("constants", () => {
  test.each([
    ["min(64, 3 * 8)", 24],
    ["max(1, 7 % 4, 2)", 3],
    ["floor(7 / 2)", 3],
    ["ceil(7 / 2)", 4],
    ["round(0.25 * 10)", 3],
    ["abs(-5)", 5],
    ["sqrt(49)", 7],
    ["2 ^ 3 ^ 0 * 4 - 2 ^ 2", 4],
  ])("%s is %d", (text, value) => {
    expect(shapesOf(modelOf(`  conv(${text}, kernel=1)`))).toEqual([`${value}x32x32`]);
  });

  test.each([
    ["3 > 2", true],
    ["2 * 2 == 4", true],
    ["1 >= 1.5", false],
    ["1 != 1", false],
  ])("%s is %s", (text, value) => {
    const { graph } = modelOf(`  conv(2, kernel=1, bias=${text})`);
    expect(graph!.parameters).toHaveLength(value ? 2 : 1);
  });

  test.each(["min(1)", "floor(1, 2)", 'max("a", 2)', "mix(1, 2)", "(1, 2)"])(
    "%s is not a count of channels",
    (text) => {
      expect(analyzeBody(`  conv(${text}, kernel=1)`).diagnostics).toHaveLength(1);
    },
  );
});

describe("from", () => {
  test("goes back to a named value, to a layer by its full name, and to the input", () => {
    for (const name of ["features.stem", "stem"]) {
      const body =
        `  features { conv(4, kernel=1) as stem -> relu as r }\n` +
        `  from ${name} -> tanh -> add(r)`;
      expect(modelOf(body).layers.map(({ inputs }) => inputs)).toEqual([[-1], [0], [0], [2, 1]]);
    }
    const auto =
      "  conv(4, kernel=1) -> relu\n  from conv1 -> tanh -> add(relu1)\n" +
      "  from image -> relu -> conv(4, kernel=1) -> add(add1)";
    const { layers } = modelOf(auto);
    expect(layers.map(({ inputs }) => inputs)).toEqual([[-1], [0], [0], [2, 1], [-1], [4], [5, 3]]);
  });

  test("in a loop means the last turn's value", () => {
    const { layers } = modelOf("  repeat 2 { conv(3, kernel=1) as x -> relu -> tanh -> add(x) }");
    expect(layers.map(({ inputs }) => inputs)).toEqual([
      [-1],
      [0],
      [1],
      [2, 0],
      [3],
      [4],
      [5],
      [6, 4],
    ]);
  });

  test("does not see out of a block", () => {
    const before = "block b { relu -> add(stem) }\n";
    const { diagnostics } = analyzeBody("  conv(4, kernel=1) as stem -> b", before);
    expect(diagnostics.map(({ code }) => code)).toEqual(["NET1021"]);
  });

  test.each([
    ["  conv(4, kernel=1) as stem\n  from stm -> relu", "NET1021"],
    ["  from stem -> relu\n  conv(4, kernel=1) as stem", "NET1012"],
  ])("%s", (body, code) => {
    expect(analyzeBody(body).diagnostics.map((each) => each.code)).toEqual([code]);
  });
});

describe("joins", () => {
  test("list their inputs, groups and names", () => {
    const { layers, groups } = modelOf(
      "  concat {\n    branch { conv(4, kernel=1) }\n" +
        "    branch pool { maxpool(3, stride=1, padding=1) }\n    branch { }\n  } as both\n",
    );
    expect(layers.map(({ name, inputs, output }) => [name, inputs, output])).toEqual([
      ["branch1.conv1", [-1], [4, 32, 32]],
      ["pool.maxpool1", [-1], [3, 32, 32]],
      ["both", [0, 1, -1], [10, 32, 32]],
    ]);
    expect(groups.map(({ kind, name, parent }) => [kind, name, parent])).toEqual([
      ["concat", "", undefined],
      ["branch", "branch1", 0],
      ["branch", "pool", 0],
      ["branch", "branch2", 0],
    ]);
  });

  test("multiply-adds backward count the ways that lead to weights", () => {
    const { layers } = modelOf(
      "  concat { branch { conv(4, kernel=1) } branch { relu } } -> conv(2, kernel=1)",
    );
    expect(layers.map(({ macs, macsBackward }) => macsBackward / macs || 0)).toEqual([1, 0, 0, 2]);
  });

  test("skip auto adds nothing where shapes agree", () => {
    expect(namesOf(modelOf("  residual { conv(3, kernel=3, padding=1) } skip auto"))).toEqual([
      "conv1",
      "add1",
    ]);
  });
});

describe("imports", () => {
  const files: Record<string, string> = {
    "lib/blocks.net":
      'import { wide as factor } from "./sizes.net"\n' +
      "block basic(out: int) { conv(factor * out, kernel=1) -> relu }\n",
    "lib/sizes.net": "const wide = 3\n",
    "lib/broken.net": "block basic(out: int) { conv(out, kernl=1) }\nblock other { conv(1 }\n",
  };
  const readImport = (path: string, importer: string) => {
    const folder = importer.includes("/") ? importer.replace(/[^/]*$/, "") : "";
    const file = folder + path.replace("./", "");
    return files[file] === undefined ? undefined : { file, text: files[file] };
  };
  const analyzeImport = (text: string) =>
    analyze(`${text}\nmodel M { input x: f32[N, 3, 8, 8]\n basic(4) }`, "m.net", { readImport });

  test("bring blocks that see their own file, through several files", () => {
    const { diagnostics, models, sources } = analyzeImport(
      'import { basic } from "./lib/blocks.net"',
    );
    expect(diagnostics).toEqual([]);
    expect(shapesOf(models[0]!)).toEqual(["12x8x8", "12x8x8"]);
    expect([...sources.keys()]).toEqual(["m.net", "lib/blocks.net", "lib/sizes.net"]);
  });

  test("report mistakes in the file where they are", () => {
    const { diagnostics } = analyzeImport('import { basic } from "./lib/broken.net"');
    expect(diagnostics.map(({ code, primary }) => [code, primary.span.file])).toEqual([
      ["NET0002", "lib/broken.net"],
      ["NET1002", "lib/broken.net"],
    ]);
  });

  test("need a host that reads files", () => {
    const text = 'import { basic } from "./b.net"\nmodel M { input x: f32[N, 3]\n basic }';
    expect(analyze(text, "m.net").diagnostics.map(({ code }) => code)).toEqual(["NET1030"]);
  });
});

describe("occurrences", () => {
  test("tell each name's kind and definition", () => {
    const text =
      "const width = 4\nblock b(out: int) { conv(out, kernel=1) }\n" +
      "model M(classes: int = 3) {\n  input image: f32[N, 1, 4, 4]\n" +
      "  target label: u32[N] in 0..classes\n" +
      "  s { b(width) as first }\n  from s.first -> flatten -> linear(classes) as logits\n" +
      "  for k in [1] { relu }\n  loss cross_entropy(logits, label)\n}\n" +
      "train T of M { epochs = 1\n batch = 1\n optimizer = sgd(lr=0.1) }\n";
    const { occurrences } = analyze(text, "m.net");
    const shown = occurrences.map(({ kind, name, span, definition }) => {
      const isDefinition = span.start.offset === definition.start.offset;
      expect(text.slice(span.start.offset, span.end.offset)).toContain(name.split(".").at(-1));
      return `${kind} ${name}${isDefinition ? "" : ` -> line ${definition.start.line}`}`;
    });
    expect(shown).toEqual([
      ...["constant width", "block b", "parameter out", "parameter out -> line 2"],
      ...[
        "model M",
        "parameter classes",
        "input image",
        "target label",
        "parameter classes -> line 3",
      ],
      ...["section s", "block b -> line 2", "constant width -> line 1", "value first"],
      ...["value s.first -> line 6", "parameter classes -> line 3", "value logits", "variable k"],
      ...["value logits -> line 7", "target label -> line 5", "train T", "model M -> line 3"],
    ]);
  });
});
