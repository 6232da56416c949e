import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { catalogue, diagnosticCodes } from "../../compiler/diagnostics/catalogue/index.js";
import { explain } from "../../compiler/diagnostics/explain.js";
import { syntax } from "../../compiler/diagnostics/catalogue/syntax.js";
import { parse } from "../../grammar/index.js";

test("every code is in a family's range", () => {
  for (const code of diagnosticCodes) expect(code).toMatch(/^NET[0123459]\d{3}$/);
});

describe.each(diagnosticCodes)("%s", (code) => {
  test("has a page that says what is wrong, and shows wrong and right", () => {
    const { title, explanation, wrong, right } = catalogue[code];
    expect(title).toMatch(/^[^.]{5,70}$/);
    expect(explanation.length).toBeGreaterThan(40);
    expect(wrong === "" || wrong !== right).toBe(true);
    expect(explain(code)).toContain(`# ${code}: ${title}`);
  });
});

test("a code that does not exist has no page", () => {
  expect(explain("NET9999")).toBeUndefined();
  expect(explain("toString")).toBeUndefined();
});

test("the syntax family has the codes that the grammar reports, and no others", () => {
  const grammar = join(dirname(fileURLToPath(import.meta.url)), "../../grammar");
  const sources = readdirSync(grammar).map((name) => readFileSync(join(grammar, name), "utf8"));
  const reported = sources.flatMap((source) => source.match(/(?<=")NET\d{4}(?=")/g) ?? []);
  expect([...new Set(reported)].sort()).toEqual(Object.keys(syntax).sort());
});

/** Places for the fragments among the examples of the syntax family. */
function complete(fragment: string): string {
  if (/^(?:model|modle|train Base|\/\/)/.test(fragment)) return fragment;
  if (fragment.startsWith("train")) return `data D {\n${fragment}\n}`;
  if (fragment.startsWith("schedule")) return `train T of M on D {\n${fragment}\n}`;
  return fragment.startsWith("const") ? fragment : `model M {\n${fragment}\n}`;
}

/**
 * Their examples are shortened, or describe bytes that are not text, or are wrong at the top
 * of a file only.
 */
const special = ["NET0013", "NET0015", "NET0016"];

test.each(Object.entries(syntax).filter(([code]) => !special.includes(code)))(
  "the examples of %s are wrong and right",
  (code, { wrong, right }) => {
    expect(parse(complete(wrong), "a").problems.map((problem) => problem.code)).toEqual([code]);
    expect(parse(complete(right), "a").problems).toEqual([]);
  },
);
