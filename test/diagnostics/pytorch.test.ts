import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { renderText } from "../../compiler/diagnostics/render-text.js";
import { analyze } from "../../compiler/semantics/index.js";
import { applyEdits } from "../../compiler/semantics/check-fixes.js";

/**
 * Specs with mistakes of people who know PyTorch or Keras, each a real mistake, with the
 * messages they get; and whether the fixes that are offered, applied one after the other, make them
 * compile.
 */

const folder = join(import.meta.dirname, "pytorch");
const specs = readdirSync(folder).filter((name) => name.endsWith(".net"));
const isUpdate = process.env.NETC_UPDATE_GOLDEN === "1";

const diagnose = (text: string, file: string) => analyze(text, file).diagnostics;

/** Applies the first fix that is offered until none is. */
function fixed(text: string, file: string): string {
  for (let round = 0; round < 12; round++) {
    const fix = diagnose(text, file).flatMap(({ fixes }) => fixes)[0];
    if (!fix) return text;
    text = applyEdits(text, fix.edits);
  }
  return text;
}

describe("mistakes of people who know PyTorch", () => {
  test.each(specs)("%s", (file) => {
    const text = readFileSync(join(folder, file), "utf8");
    const rendered = diagnose(text, file).map((diagnostic) =>
      renderText(diagnostic, text).trimEnd(),
    );
    expect(rendered.length).toBeGreaterThan(0);
    const golden = join(folder, file.replace(".net", ".txt"));
    const all = `${rendered.join("\n\n")}\n`;
    if (isUpdate) writeFileSync(golden, all);
    expect(all).toBe(readFileSync(golden, "utf8"));
  });

  test("the page of twenty says what is printed", () => {
    const page = readFileSync("docs/coming-from/mistakes.md", "utf8");
    const rows = page.split("\n").filter((line) => line.includes("](../diagnostics/NET"));
    const printed = specs.map((file) =>
      readFileSync(join(folder, file.replace(".net", ".txt")), "utf8"),
    );
    expect(rows).toHaveLength(20);
    for (const row of rows) {
      const [, code, message] = /\[(NET\d+)\]\(\S+\): (.*?) +\| /.exec(row)!;
      expect(
        printed.some((text) => text.includes(`error[${code}]: ${message}\n`)),
        row,
      ).toBe(true);
    }
  });

  test("at least fifteen of twenty compile once the offered fixes are applied", () => {
    const compiling = specs.filter((file) => {
      const text = fixed(readFileSync(join(folder, file), "utf8"), file);
      const { diagnostics, selected } = analyze(text, file);
      return diagnostics.length === 0 && selected?.model.graph !== undefined;
    });
    const others = specs.filter((file) => !compiling.includes(file));
    console.log(`${compiling.length} of ${specs.length} compile; not ${others.join(", ")}`);
    expect(specs.length).toBeGreaterThanOrEqual(20);
    expect(compiling.length).toBeGreaterThanOrEqual(15);
  });
});
