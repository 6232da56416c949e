import { Option, type Command } from "commander";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.js";
import { renderJson } from "../../compiler/diagnostics/render-json.js";
import { renderSarif } from "../../compiler/diagnostics/render-sarif.js";
import { analyze } from "../../compiler/semantics/index.js";
import { applySafeFixes, chooseFixes } from "../../compiler/semantics/fix-all.js";
import { ExitCode, Reported } from "../failure.js";
import { writeOutput } from "../files.js";
import { packageFile, version } from "../package.js";
import { countDiagnostics, hasErrors, openSpec, showDiagnostics, type SpecFile } from "../spec.js";
import { print, say } from "../terminal.js";
import { describeCommand } from "./command.js";

/** The formats that are one document on stdout. */
const documents = {
  json: renderJson,
  sarif: (diagnostics: readonly Diagnostic[]) =>
    renderSarif(diagnostics, {
      version: version(),
      helpUri: (code) => packageFile(`docs/diagnostics/${code}.md`),
    }),
};

interface CheckOptions {
  readonly format: "text" | keyof typeof documents;
  readonly fix?: boolean;
}

export function checkCommand(): Command {
  return describeCommand("check", "Check specs and show what is wrong with them. Needs no GPU.", [
    "check specs/alexnet.net",
    "check --fix alexnet.net",
    "check --format sarif specs/*.net > netc.sarif",
  ])
    .argument("<spec...>", "spec files")
    .addOption(
      new Option("--format <format>", "text on stderr for people, or one document on stdout")
        .choices(["text", ...Object.keys(documents)])
        .default("text"),
    )
    .option("--fix", "apply the fixes that are safe, in place, and show what is left")
    .action(check);
}

/** Exits with 1 if any spec has an error; warnings alone are no failure. */
async function check(
  paths: readonly string[],
  { format, fix = false }: CheckOptions,
): Promise<void> {
  const found: Diagnostic[] = [];
  for (const path of paths) {
    if (fix) await fixSpec(path);
    const spec = await openSpec(path);
    const { diagnostics } = analyze(spec.text, spec.path, { readImport: spec.readImport });
    found.push(...diagnostics);
    if (format === "text") {
      showDiagnostics(spec, diagnostics);
      say(`${spec.path}: ${countDiagnostics(diagnostics)}${offerToFix(diagnostics, spec)}`);
    }
  }
  if (format !== "text") print(documents[format](found));
  if (hasErrors(found)) throw new Reported(ExitCode.wrongInput);
}

/** Applies the safe fixes to a spec's file and says which. Files that it imports stay as they are. */
async function fixSpec(path: string): Promise<void> {
  const { text, readImport } = await openSpec(path);
  const fixed = applySafeFixes(text, path, (changed) => analyze(changed, path, { readImport }));
  if (fixed.applied.length === 0) return;
  await writeOutput(path, fixed.text);
  for (const { diagnostic, fix } of fixed.applied) {
    const { line, column } = diagnostic.primary.span.start;
    say(`${path}:${line}:${column}: fixed ${diagnostic.code}: ${fix.title}`);
  }
}

function offerToFix(diagnostics: readonly Diagnostic[], { path }: SpecFile): string {
  const count = chooseFixes(diagnostics, path).length;
  return count === 0 ? "" : `; \`--fix\` mends ${count} of them`;
}
