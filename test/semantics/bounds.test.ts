import { describe, expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { MOST_CELLS, suggest } from "../../compiler/diagnostics/suggest.js";
import { analyze } from "../../compiler/semantics/index.js";
import { matchesName } from "../../compiler/semantics/recipes/patterns.js";
import { layers } from "../../compiler/layers/index.js";
import { effort } from "../../grammar/distance.js";

/** Depths and sizes that are refused, and work that grows no faster than the text. */

const model = (body: string, input = "f32[N, 3, 32, 32]", before = "") =>
  `${before}\nmodel M {\n  input image: ${input}\n${body}\n}\n`;

const codesOf = (text: string) => analyze(text, "limits.net").diagnostics.map(({ code }) => code);

const lines = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => line(index)).join("\n");

describe("what is too deep or too large is refused", () => {
  test.each([
    ["4,000 unary minuses", `const a = ${"-".repeat(4000)}1`, "NET0016"],
    ["100,000 additions", `const a = ${"1+".repeat(100_000)}1`, "NET0016"],
    ["operators within brackets", `const a = ${"(1+".repeat(99)}1${")+1+1".repeat(99)}`, "NET0016"],
    ["150,000 open brackets", "(".repeat(150_000), "NET0016"],
    [
      "a chain of 1,000 blocks",
      model(
        "  b0",
        undefined,
        `${lines(1000, (i) => `block b${i} { b${i + 1} }`)}\nblock b1000 { relu }`,
      ),
      "NET1037",
    ],
    [
      "an integer beyond 2^53",
      model("  conv(999999999999999999999999999999, kernel=3)"),
      "NET1036",
    ],
    ["the same, computed", model("  conv(9007199254740991 * 3, kernel=3)"), "NET1036"],
    ["an infinite number", model("  dropout(1e999)"), "NET1036"],
    ["an input of 2^53 pixels", model("  relu", "f32[N, 3, 9007199254740992, 1]"), "NET1036"],
    ["an input of too many numbers", model("  relu", "f32[N, 3, 9007199254740991, 1]"), "NET2052"],
    ["weights of too many numbers", model("  flatten -> linear(1000000000)"), "NET2052"],
    ["a pool of too many numbers", model("  adaptive_avgpool(4294967296)"), "NET2052"],
    ["pad(1000000)", model("  pad(1000000)"), "NET2052"],
    ["a number beyond f32", model("  leaky_relu(1e39)"), "NET1010"],
    ["a negative one", model("  leaky_relu(-1e39)"), "NET1010"],
    ["in a list", model("  conv(3, kernel=1, init=normal(1e39))"), "NET1010"],
    ["a number that f32 may round to 0", model("  batchnorm(eps=1e-45)"), "NET1010"],
    [
      "loops in loops without layers",
      model("  repeat 10000 { repeat 10000 { repeat 10000 { } } }"),
      "NET1029",
    ],
    ["ranges in ranges", model("  for a in 0..10000 { for b in 0..10000 { } }"), "NET1029"],
    ["a file that is too long", "/".repeat(1_000_001), "NET0015"],
  ])("%s", (_, text, code) => expect(codesOf(text)).toEqual([code]));

  test("lists of lists, which messages show by their beginnings", () => {
    const lists = `const a0 = [1, 1]\n${lines(24, (i) => `const a${i + 1} = [a${i}, a${i}]`)}`;
    expect(codesOf(model("  conv(a24, kernel=3)", undefined, lists))).toEqual(["NET1035"]);
    const long = `const a = [${"7, ".repeat(5000)}7]`;
    const [found] = analyze(model("  conv(a, kernel=3)", undefined, long), "long.net").diagnostics;
    expect(found?.message).toMatch(
      /^`out` of `conv` must be .* not the list \[7, 7, .*and 4985 more\]$/,
    );
  });

  test("more commas than a call of a function takes arguments", () => {
    expect(codesOf(`const a = [${",".repeat(130_000)}]`)).toEqual(["NET0009"]);
  });

  test("too many mistakes: the first 200, and a note on the others", () => {
    const text = model(`  conv(4, kernel=3)\n${lines(1000, (i) => `  conv(4, kernal=${i})`)}`);
    const { diagnostics } = analyze(text, "many.net");
    expect(diagnostics).toHaveLength(200);
    expect(diagnostics.at(-1)?.notes.at(-1)).toBe("there are more mistakes: these are 200 of them");
  });
});

describe("work", () => {
  test("a suggestion compares few letters, however many names there are", () => {
    const names = Array.from({ length: 20_000 }, (_, index) => ({
      name: `name${index}`,
      aliases: [],
    }));
    for (const candidates of [layers, names]) {
      for (const word of ["cnov", "name1234x", "x".repeat(100_000), "adaptive_avgpooling_layer"]) {
        const before = effort.cells;
        suggest(word, candidates);
        expect(effort.cells - before).toBeLessThan(2 * MOST_CELLS);
      }
    }
  });

  test("250 misspelled layers compare no more than one", () => {
    const misspelled = (count: number) => model(lines(count, () => "  cnov(4, kernel=3)"));
    const cost = (text: string) => {
      const before = effort.cells;
      analyze(text, "misspelled.net");
      return effort.cells - before;
    };
    cost(misspelled(1));
    expect(cost(misspelled(250))).toBe(0);
  });

  test("a value added to itself makes a module that is linear in its layers", () => {
    const doubling = (count: number) =>
      model(
        `  conv(4, kernel=3) as a0\n` +
          `${lines(count, (i) => `  from a${i} -> add(a${i}) as a${i + 1}`)}\n` +
          "  flatten -> linear(2)",
      );
    const size = (count: number) => {
      const { module, diagnostics } = compile(doubling(count), { file: "a.net", target: "gpu" });
      expect(diagnostics).toEqual([]);
      return module.length;
    };
    const [ten, twenty, forty] = [10, 20, 40].map(size) as [number, number, number];
    expect(twenty - ten).toBeLessThan(30_000);
    expect(forty - twenty).toBeLessThan(60_000);
  });

  test("a pattern looks at each part of a name once", () => {
    let reads = 0;
    const segments = new Proxy([...Array.from({ length: 40 }, () => "*"), "x"], {
      get(target, key, receiver) {
        if (typeof key === "string" && /^\d+$/.test(key)) reads++;
        return Reflect.get(target, key, receiver) as unknown;
      },
    });
    expect(matchesName({ segments }, lines(80, () => "s").replaceAll("\n", "."))).toBe(false);
    expect(reads).toBe(41);
    expect(matchesName({ segments: ["*", "b", "*"] }, "a.b.b.weight")).toBe(true);
    expect(matchesName({ segments: ["a", "*", "c"] }, "a.c")).toBe(false);
    expect(matchesName({ segments: ["a"] }, "a.b.c")).toBe(true);
  });
});
