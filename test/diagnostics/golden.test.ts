import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { catalogue, diagnosticCodes } from "../../compiler/diagnostics/catalogue/index.js";
import { renderText } from "../../compiler/diagnostics/render-text.js";
import { analyze, type ReadImport } from "../../compiler/semantics/index.js";

/**
 * Every folder of specs/errors holds a wrong spec and the messages that it gives. NETC_UPDATE_GOLDEN=1 writes the messages
 * anew: read the difference before committing it.
 */
const errors = join(dirname(fileURLToPath(import.meta.url)), "../../specs/errors");
const update = process.env["NETC_UPDATE_GOLDEN"] === "1";
const folders = readdirSync(errors).sort();

function codeOf(folder: string): string {
  return folder.split("-")[0] ?? folder;
}

function messagesOf(folder: string): { readonly codes: string[]; readonly text: string } {
  const spec = readFileSync(join(errors, folder, "spec.net"), "utf8");
  const readImport: ReadImport = (path) => {
    const file = join(errors, folder, path);
    return existsSync(file)
      ? { file: basename(path), text: readFileSync(file, "utf8") }
      : undefined;
  };
  const { diagnostics, sources } = analyze(spec, "spec.net", { readImport });
  const rendered = diagnostics.map((diagnostic) =>
    renderText(diagnostic, sources.get(diagnostic.primary.span.file)!),
  );
  return { codes: diagnostics.map(({ code }) => code), text: `${rendered.join("\n\n")}\n` };
}

describe("wrong specs give the messages they should", () => {
  test.each(folders)("%s", (folder) => {
    const { codes, text } = messagesOf(folder);
    expect(codes).toContain(codeOf(folder));
    const golden = join(errors, folder, "expected.txt");
    if (update) writeFileSync(golden, text);
    expect(existsSync(golden), `${golden} is missing: NETC_UPDATE_GOLDEN=1 writes it`).toBe(true);
    expect(text).toBe(readFileSync(golden, "utf8"));
  });
});

describe("the catalogue", () => {
  test.each(diagnosticCodes)("%s has a wrong spec, or says why it has none", (code) => {
    const hasFolder = folders.some((folder) => codeOf(folder) === code);
    const reason = catalogue[code].withoutSpec;
    if (hasFolder) expect(reason, "there is a spec that triggers it").toBeUndefined();
    else expect(reason, `specs/errors/${code} is missing`).toBeTruthy();
  });

  test("knows every code that has a folder", () => {
    const codes: readonly string[] = diagnosticCodes;
    expect(folders.map(codeOf).filter((code) => !codes.includes(code))).toEqual([]);
  });
});
