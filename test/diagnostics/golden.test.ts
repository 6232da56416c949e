import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { catalogue, diagnosticCodes } from "../../compiler/diagnostics/catalogue/index.js";
import { renderText } from "../../compiler/diagnostics/render-text.js";
import { analyzeWrongSpec, codeOf, goldenOf, wrongSpecs } from "./wrong-specs.js";

/** NETC_UPDATE_GOLDEN=1 writes the messages again: read the difference before committing it. */
const update = process.env["NETC_UPDATE_GOLDEN"] === "1";

function messagesOf(folder: string): { readonly codes: string[]; readonly text: string } {
  const { diagnostics, sources } = analyzeWrongSpec(folder);
  const rendered = diagnostics.map((diagnostic) =>
    renderText(diagnostic, sources.get(diagnostic.primary.span.file)!),
  );
  return { codes: diagnostics.map(({ code }) => code), text: `${rendered.join("\n\n")}\n` };
}

describe("wrong specs give the messages they should", () => {
  test.each(wrongSpecs)("%s", (folder) => {
    const { codes, text } = messagesOf(folder);
    expect(codes).toContain(codeOf(folder));
    const golden = goldenOf(folder);
    if (update) writeFileSync(golden, text);
    expect(existsSync(golden), `${golden} is missing: NETC_UPDATE_GOLDEN=1 writes it`).toBe(true);
    expect(text).toBe(readFileSync(golden, "utf8"));
  });
});

describe("the catalogue", () => {
  test.each(diagnosticCodes)("%s has a wrong spec, or says why it has none", (code) => {
    const hasFolder = wrongSpecs.some((folder) => codeOf(folder) === code);
    const reason = catalogue[code].withoutSpec;
    if (hasFolder) expect(reason, "there is a spec that triggers it").toBeUndefined();
    else expect(reason, `specs/errors/${code} is missing`).toBeTruthy();
  });

  test("knows every code that has a folder", () => {
    const codes: readonly string[] = diagnosticCodes;
    expect(wrongSpecs.map(codeOf).filter((code) => !codes.includes(code))).toEqual([]);
  });
});
