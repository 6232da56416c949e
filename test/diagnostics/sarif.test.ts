import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { describe, expect, test } from "vitest";
import { diagnosticCodes } from "../../compiler/diagnostics/catalogue/index.js";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.js";
import { renderSarif } from "../../compiler/diagnostics/render-sarif.js";
import { analyze } from "../../compiler/semantics/index.js";
import { analyzeWrongSpec, wrongSpecs } from "./wrong-specs.js";

const validate = compileSchema();

/**
 * The published schema. It calls itself draft-04, and says nothing that later drafts read
 * otherwise.
 */
function compileSchema() {
  const package_ = createRequire(import.meta.url).resolve("@microsoft/jest-sarif/package.json");
  const file = package_.replace("package.json", "lib/schemas/sarif-2.1.0-rtm.5.json");
  const schema = JSON.parse(readFileSync(file, "utf8"));
  delete schema.$schema;
  delete schema.id;
  const ajv = new Ajv({ allErrors: true, strict: false, unicodeRegExp: false });
  addFormats.default(ajv);
  return ajv.compile(schema);
}

function sarifOf(diagnostics: readonly Diagnostic[]) {
  const helpUri = (code: string) => `https://example.org/${code}`;
  const log = JSON.parse(renderSarif(diagnostics, { version: "1.2.3", helpUri }));
  validate(log);
  expect(validate.errors ?? []).toEqual([]);
  return log.runs[0];
}

describe("the published schema accepts the log of", () => {
  test.each(wrongSpecs)("%s", (folder) => {
    const { diagnostics } = analyzeWrongSpec(folder);
    const { results, tool } = sarifOf(diagnostics);
    expect(results).toHaveLength(diagnostics.length);
    for (const { ruleId, ruleIndex } of results) {
      expect(tool.driver.rules[ruleIndex].id).toBe(ruleId);
    }
  });

  test("a spec without mistakes", () => {
    const path = new URL("../../specs/alexnet.net", import.meta.url);
    const { diagnostics } = analyze(readFileSync(path, "utf8"), "alexnet.net");
    expect(sarifOf(diagnostics).results).toEqual([]);
  });
});

test("the schema refuses what is not a log", () => {
  expect(validate({ version: "2.1.0", runs: [{ results: [{ level: "wrong" }] }] })).toBe(false);
});

test("every code is a rule with its page", () => {
  const { driver } = sarifOf([]).tool;
  expect(driver).toMatchObject({ name: "netc", semanticVersion: "1.2.3" });
  expect(driver.rules.map(({ id }: { id: string }) => id)).toEqual(diagnosticCodes);
  const rule = driver.rules.find(({ id }: { id: string }) => id === "NET2010");
  expect(rule).toMatchObject({
    shortDescription: { text: "softmax before cross-entropy" },
    helpUri: "https://example.org/NET2010",
    defaultConfiguration: { level: "warning" },
    properties: { tags: ["shapes"] },
  });
  expect(rule.fullDescription.text).toContain("applies softmax itself");
  expect(rule.help.markdown).toContain("```net");
});

test("a result has its places, and its fix as replacements", () => {
  const { diagnostics } = analyzeWrongSpec("NET2002");
  const [first] = diagnostics;
  const [result] = sarifOf(diagnostics).results;
  const { start, end } = first!.primary.span;
  expect(result.message.text.split("\n")).toEqual([first!.message, ...first!.notes]);
  expect(result.locations).toEqual([
    {
      physicalLocation: {
        artifactLocation: { uri: "spec.net" },
        region: {
          startLine: start.line,
          startColumn: start.column,
          endLine: end.line,
          endColumn: end.column,
        },
      },
      message: { text: first!.primary.message },
    },
  ]);
  expect(result.relatedLocations).toHaveLength(first!.related.length);
  expect(result.fixes[0].description.text).toBe(first!.fixes[0]!.title);
  const [change] = result.fixes[0].artifactChanges;
  expect(change.artifactLocation.uri).toBe("spec.net");
  // Text is removed, so nothing is inserted.
  expect(change.replacements).toHaveLength(1);
  expect(change.replacements[0]).not.toHaveProperty("insertedContent");
});

test("what is said about a whole file has no region", () => {
  const [result] = sarifOf(analyze("", "empty.net").diagnostics).results;
  expect(result.locations).toEqual([
    { physicalLocation: { artifactLocation: { uri: "empty.net" } } },
  ]);
});

test.each([
  ["nets/a b.net", "nets/a%20b.net"],
  ["../größe.net", "../gr%C3%B6%C3%9Fe.net"],
  ["/work/a#1.net", "file:///work/a%231.net"],
  ["C:\\nets\\a.net", "file:///C:/nets/a.net"],
])("the file %s is %s", (file, uri) => {
  const [result] = sarifOf(analyze("", file).diagnostics).results;
  expect(result.locations[0].physicalLocation.artifactLocation.uri).toBe(uri);
});
