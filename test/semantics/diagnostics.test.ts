import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { applyEdits } from "../../compiler/semantics/check-fixes.js";
import { analyze } from "../../compiler/semantics/index.js";
import { analyzed, codesOf, rendered, specOf } from "./spec.js";

const alexnet = readFileSync(join(import.meta.dirname, "../../specs/alexnet.net"), "utf8");
const errorSpec = (code: string) =>
  readFileSync(join(import.meta.dirname, `../../specs/errors/${code}/spec.net`), "utf8");

describe("several mistakes", () => {
  test("each is reported, none twice", () => {
    const layers = `
      conv(16, kernal=3) -> relu
      linear("a") -> dropout(2) -> softmux`;
    expect(codesOf(analyzed(layers))).toEqual(["NET1002", "NET1009", "NET1010", "NET1001"]);
  });

  test("a layer with unknown output hides no wrong names and invents no wrong shapes", () => {
    const layers = "conv(16, kernel=99) -> linear(10) -> conv(3, kernel=3, group=2)";
    expect(codesOf(analyzed(layers))).toEqual(["NET2004", "NET1002"]);
  });

  test("what is wrong with a model is said once, however many recipes use it", () => {
    const settings = "epochs = 1\n batch = 1\n optimizer = sgd(lr=1)";
    const after = `train A of Small { ${settings} }\ntrain B of Small { ${settings} }`;
    const loss = "loss cross_entropy(logits, label)";
    const layers = "linear(10) as logits";
    expect(codesOf(analyzed(layers, { loss, after }))).toEqual(["NET2003"]);
  });
});

describe("a mistake hides no other, and makes none", () => {
  test.each([
    ["a loop that is too long", "repeat 1000000000 { relu }", ["NET1028"]],
    ["a prefix as in PyTorch", "flatten -> nn.linear(10)", ["NET0011"]],
    [
      "a residual without layers",
      "residual { } -> residual { conv(8, kernel=1) } -> linear(3)",
      ["NET2018", "NET2017", "NET2003"],
    ],
    ["a concat without branches", "concat { } -> linear(3)", ["NET2020", "NET2003"]],
    ["a tuple for a list", "conv(8, kernel=(3, 3))", ["NET1009"]],
    ["a layer too large for any device", "conv(99999999, kernel=1)", ["NET2052"]],
    ["weights too large for any device", "flatten -> linear(99999999)", ["NET2052"]],
  ])("%s", (_, layers, codes) => {
    expect(codesOf(analyzed(layers))).toEqual(codes);
  });

  test.each(["block unit(: int) { relu }", "block unit unit(w: int) { relu }"])(
    "the uses of `%s` are not wrong, too",
    (before) => {
      expect(analyzed("unit(8) -> unit(w=8)", { before }).diagnostics).toHaveLength(1);
    },
  );

  test("a block of a layer's name leaves the layer what it is", () => {
    const before = "block conv(n: int) { relu }";
    expect(codesOf(analyzed("conv(8, kernel=1)", { before }))).toContain("NET1026");
    expect(codesOf(analyzed("conv(8, kernel=1)", { before }))).not.toContain("NET1002");
  });
});

describe("explanations", () => {
  test("of a name that several values have say which they are", () => {
    const text = rendered(specOf("for i in 0..2 { s { conv(8, kernel=1) as k } }\n  from k"));
    expect(text).toContain("`k` may be `s1.k` or `s2.k`");
  });

  test("of a value around a block say what the block can do", () => {
    const before = "block unit {\n  relu\n  from image -> relu\n}";
    const text = rendered(specOf("unit", { before }));
    expect(text).toContain("sees none of the network around it");
    expect(text).toContain("`identity as x`");
  });

  test("of layers that netc lacks say what serves instead", () => {
    expect(rendered(specOf("InstanceNorm3d"))).toContain("`groupnorm(C)`");
    expect(rendered(specOf("RReLU"))).not.toContain("did you mean");
  });

  test("name the inputs that would work: and these do", () => {
    const [mistake] = analyze(
      alexnet
        .replace("[N, 3, 224, 224]", "[N, 3, 256, 256]")
        .replace("linear(4096) as fc6", "linear(4096, in=9216) as fc6"),
      "alexnet.net",
    ).diagnostics.filter(({ code }) => code === "NET2002");
    const [, first, last] = /inputs of (\d+) to (\d+)/.exec(mistake!.notes[0]!)!.map(Number);
    for (const [size, fits] of [
      [first! - 1, false],
      [first!, true],
      [last!, true],
      [last! + 1, false],
    ] as const) {
      const text = alexnet
        .replace("[N, 3, 224, 224]", `[N, 3, ${size}, ${size}]`)
        .replace("linear(4096) as fc6", "linear(4096, in=9216) as fc6");
      const codes = codesOf(analyze(text, "alexnet.net"));
      expect(codes.includes("NET2002"), `input of ${size}`).toBe(!fits);
    }
  });

  test("have at most three related places", () => {
    for (const code of ["NET2002", "NET2004", "NET2007"]) {
      for (const { related } of analyze(errorSpec(code), "spec.net").diagnostics) {
        expect(related.length).toBeGreaterThan(0);
        expect(related.length).toBeLessThanOrEqual(3);
      }
    }
  });
});

describe("fixes", () => {
  test.each([
    "NET1001",
    "NET1002",
    "NET1008",
    "NET1021",
    "NET2002",
    "NET2003",
    "NET2005",
    "NET2007",
    "NET2010",
    "NET3011",
  ])("of %s make their mistake go away", (code) => {
    const text = errorSpec(code);
    const { diagnostics } = analyze(text, "spec.net");
    const fixes = diagnostics.filter((each) => each.code === code).flatMap((each) => each.fixes);
    expect(fixes.length).toBeGreaterThan(0);
    for (const fix of fixes) {
      const after = analyze(applyEdits(text, fix.edits), "spec.net").diagnostics;
      expect(after.length).toBeLessThan(diagnostics.length);
    }
  });

  test("that would break something else are not offered", () => {
    // Without the layer the next one would be right, but a name that is nearly right leads to a
    // wrong shape.
    const text = specOf("conv(8, kernel=3) -> flat -> conv(8, kernel=3)");
    const [mistake] = analyze(text, "small.net").diagnostics;
    expect(mistake!.message).toContain("did you mean `flatten`?");
    expect(mistake!.fixes).toEqual([]);
  });

  test("are offered for names that are certain, though other mistakes come to light", () => {
    const text = specOf("Conv2d(8, kernel_size=3) -> flatten -> conv(8, kernel=3)");
    const [mistake, ...others] = analyze(text, "small.net").diagnostics;
    expect(others).toEqual([]);
    expect(mistake!.fixes.map(({ title }) => title)).toEqual(["write `conv`"]);
  });
});

describe("whatever the text", () => {
  test("analyze does not throw", () => {
    const words = alexnet.split(/(\s+|\b)/).filter(Boolean);
    const replacements = ["", "0", "-1", "conv", "(", "}", "1e400", '"x"', "[]", "epochs", "->"];
    for (let index = 0; index < words.length; index += 7) {
      const replacement = replacements[index % replacements.length]!;
      const text = words.with(index, replacement).join("");
      expect(() => analyze(text, "alexnet.net"), text.slice(0, 200)).not.toThrow();
    }
  }, 60_000);

  test("half of a spec still gives its layers", () => {
    const half = alexnet.slice(0, alexnet.indexOf("classifier"));
    const { models, diagnostics } = analyze(half, "alexnet.net");
    expect(models[0]!.layers).toHaveLength(13);
    expect(diagnostics.every(({ code }) => code.startsWith("NET0"))).toBe(true);
  });
});
