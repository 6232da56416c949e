import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createDiagnostic } from "../../compiler/diagnostics/create.js";
import type { DiagnosticCode } from "../../compiler/diagnostics/catalogue/index.js";
import type { Fix } from "../../compiler/diagnostics/diagnostic.js";
import { safeFix } from "../../compiler/diagnostics/safe-fixes.js";
import { type Candidate, suggest } from "../../compiler/diagnostics/suggest.js";
import { layers } from "../../compiler/layers/index.js";
import { applySafeFixes } from "../../compiler/semantics/fix-all.js";
import { analyze } from "../../compiler/semantics/index.js";
import { metrics } from "../../compiler/layers/scores.js";
import { optimizers } from "../../compiler/semantics/recipes/optimizers.js";
import { transforms } from "../../compiler/semantics/recipes/transforms.js";
import { analyzeWrongSpec, factsOf, hostOf, wrongSpecs } from "./wrong-specs.js";

const PLACE = { offset: 0, line: 1, column: 1 };
const span = { file: "a.net", start: PLACE, end: PLACE };

function fixWith(newText: string, isCertain = false): Fix {
  return { title: "mend", edits: [{ span, newText }], isCertain };
}

function safeOf(code: DiagnosticCode, ...fixes: Fix[]): Fix | undefined {
  return safeFix(createDiagnostic(code, { message: "wrong", span, fixes }));
}

describe("a fix is safe", () => {
  const name = fixWith("conv", true);

  test("where it is a certain name, and has no rival", () => {
    expect(safeOf("NET1001", name)).toBe(name);
    expect(safeOf("NET1001", name, fixWith("linear", true))).toBeUndefined();
    expect(safeOf("NET1001", fixWith("conv"))).toBeUndefined();
    expect(safeOf("NET1001")).toBeUndefined();
  });

  test("where punctuation is the only one possible", () => {
    expect(safeOf("NET0001", fixWith(" ="))).toBeDefined();
    expect(safeOf("NET0001", fixWith("of "))).toBeUndefined();
    expect(safeOf("NET0002", fixWith(")"))).toBeUndefined();
    expect(safeOf("NET0006", fixWith(""))).toBeDefined();
  });

  test("but not where it changes a size", () => {
    expect(safeOf("NET2002", fixWith(""))).toBeUndefined();
    expect(safeOf("NET2005", fixWith("groups=3"))).toBeUndefined();
  });
});

describe("what can only have been meant", () => {
  const plain = (...names: string[]) => names.map((name) => ({ name, aliases: [] }));
  const known = [...layers, ...metrics, ...optimizers.definitions, ...transforms.definitions];

  const isCertain = (written: string, candidates: readonly Candidate[] = known) =>
    suggest(written, candidates)?.isCertain ?? false;

  test.each(["covn", "Conv2D", "ReLU", "max_pool2d", "dropuot", "softmx", "Dense", "sdg", "swish"])(
    "%s",
    (written) => expect(isCertain(written)).toBe(true),
  );

  test.each([
    ...["rrelu", "conv3d", "maxout", "relu7"],
    ...["Pooling", "topk", "ada", "adamax", "color"],
  ])("%s could be something else", (written) => expect(isCertain(written)).toBe(false));

  test("of names that a spec declares, the only one that is near", () => {
    expect(isCertain("widht", plain("width", "depth"))).toBe(true);
    expect(isCertain("wide1", plain("wide2", "height"))).toBe(false);
    expect(isCertain("widt", plain("width", "widts"))).toBe(false);
  });
});

function fixed(text: string) {
  return applySafeFixes(text, "a.net", (changed) => analyze(changed, "a.net"));
}

describe("all safe fixes", () => {
  test("are applied until none is left, those that come to light included", () => {
    const { text, applied, analysis } = fixed(
      [
        "modle M {",
        "  input  image: f32[N, 3, 8, 8]",
        "  target label: u32[N] in 0..10;",
        "  Conv2d(8, kernel_size=3) → ReLU   # the first",
        "  flaten -> linear(10) as logits",
        "  loss cross_entropy(logit, label)",
        "}",
      ].join("\r\n"),
    );
    expect(text).toBe(
      [
        "model M {",
        "  input  image: f32[N, 3, 8, 8]",
        "  target label: u32[N] in 0..10",
        "  conv(8, kernel=3) -> relu   // the first",
        "  flatten -> linear(10) as logits",
        "  loss cross_entropy(logits, label)",
        "}",
      ].join("\r\n"),
    );
    expect(analysis.diagnostics).toEqual([]);
    expect(applied.map(({ diagnostic }) => diagnostic.code).sort()).toEqual([
      ...["NET0006", "NET0006", "NET0006", "NET0007"],
      ...["NET1001", "NET1001", "NET1001", "NET1002", "NET1021"],
    ]);
  });

  test("leave a right spec as it is", () => {
    const text = readFileSync(new URL("../../specs/resnet18.net", import.meta.url), "utf8");
    expect(fixed(text)).toMatchObject({ text, applied: [] });
  });

  // Limits, exports and a run's data are checked apart, and offer no fixes.
  const fixable = wrongSpecs.filter((folder) => !/^NET[45]/.test(folder) && !factsOf(folder));
  test.each(fixable)("of %s come to an end, and none of its fixes is left", (folder) => {
    const { sources: texts } = analyzeWrongSpec(folder);
    const text = texts.get("spec.net")!;
    const { analysis, applied } = applySafeFixes(text, "spec.net", (changed) =>
      analyze(changed, "spec.net", hostOf(folder)),
    );
    expect(analysis.diagnostics.filter((diagnostic) => safeFix(diagnostic))).toEqual([]);
    if (applied.length === 0) expect(analysis.diagnostics).not.toEqual([]);
  });

  test("that never end are given up", () => {
    const endless = fixWith("x", true);
    const { applied } = applySafeFixes("", "a.net", (text) => ({
      ...analyze(text, "a.net"),
      diagnostics: [createDiagnostic("NET1001", { message: "wrong", span, fixes: [endless] })],
    }));
    expect(applied.length).toBeLessThan(100);
  });

  test("that overlap are applied one at a time", () => {
    const rounds: string[] = [];
    applySafeFixes("ab", "a.net", (text) => {
      rounds.push(text);
      const fixes = text === "ab" ? [fixWith("x", true), fixWith("y", true)] : [];
      const diagnostics = fixes.map((fix) =>
        createDiagnostic("NET1001", { message: fix.edits[0]!.newText, span, fixes: [fix] }),
      );
      return { ...analyze(text, "a.net"), diagnostics };
    });
    expect(rounds).toEqual(["ab", "xab"]);
  });
});
