import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { catalogue, diagnosticCodes } from "../../compiler/diagnostics/catalogue/index.js";
import { explain } from "../../compiler/diagnostics/explain.js";
import { SYNTAX } from "../../compiler/diagnostics/catalogue/syntax.js";
import { analyze } from "../../compiler/semantics/index.js";
import { parse } from "../../grammar/index.js";
import { specAround } from "../docs/examples.js";

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
  expect([...new Set(reported)].sort()).toEqual(Object.keys(SYNTAX).sort());
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
const SPECIAL = ["NET0013", "NET0015", "NET0016"];

test.each(Object.entries(SYNTAX).filter(([code]) => !SPECIAL.includes(code)))(
  "the examples of %s are wrong and right",
  (code, { wrong, right }) => {
    expect(parse(complete(wrong), "a").problems.map((problem) => problem.code)).toEqual([code]);
    expect(parse(complete(right), "a").problems).toEqual([]);
  },
);

/**
 * Their examples are shortened (`...`), or need files, data, models or shapes other than those that
 * `specAround` puts around them.
 */
const partial: readonly string[] = [
  ...["NET1003", "NET1015", "NET1020", "NET1023", "NET1024", "NET1025", "NET1026", "NET1027"],
  ...["NET1030", "NET1031", "NET1032", "NET1033", "NET1035", "NET1037", "NET1038", "NET1039"],
  ...["NET2002", "NET2007", "NET2009", "NET2022", "NET2023", "NET2024", "NET2046", "NET2060"],
  "NET2062",
  ...["NET3001", "NET3002", "NET3004", "NET3008", "NET3009", "NET3010", "NET3011", "NET3013"],
  ...[
    "NET3014",
    "NET3016",
    "NET3017",
    "NET3018",
    "NET3020",
    "NET3021",
    "NET3023",
    "NET3024",
    "NET3027",
  ],
  ...["NET3025", "NET3026"],
  ...["NET3040", "NET3041", "NET3050", "NET3051", "NET3052", "NET3053", "NET3054", "NET3055"],
  ...["NET3059", "NET3060", "NET3061", "NET3062", "NET3063", "NET3064", "NET3065", "NET3066"],
  ...["NET3080", "NET3081", "NET3082", "NET3083", "NET3084"],
  ...["NET3067", "NET3068", "NET3069", "NET3070", "NET4001", "NET4002", "NET4003", "NET5001"],
];

const whole = Object.entries(catalogue).filter(
  ([code, { wrong }]) => !code.startsWith("NET0") && wrong !== "" && !partial.includes(code),
);

test.each(whole)("the wrong example of %s gives it, and the right one does not", (code, entry) => {
  const codesOf = (text: string): readonly string[] =>
    analyze(specAround({ text, notes: {} }), "example.net").diagnostics.map((each) => each.code);
  expect(codesOf(entry.wrong)).toContain(code);
  expect(codesOf(entry.right)).not.toContain(code);
});
