import { Option, type Command } from "commander";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.js";
import { renderJson } from "../../compiler/diagnostics/render-json.js";
import { renderSarif } from "../../compiler/diagnostics/render-sarif.js";
import { analyze } from "../../compiler/semantics/index.js";
import { ExitCode, Reported } from "../failure.js";
import { packageFile, version } from "../package.js";
import { countDiagnostics, hasErrors, openSpec, showDiagnostics } from "../spec.js";
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
}

export function checkCommand(): Command {
  return describeCommand("check", "Check specs and show what is wrong with them. Needs no GPU.", [
    "check specs/alexnet.net",
    "check --format sarif specs/*.net > netc.sarif",
  ])
    .argument("<spec...>", "spec files")
    .addOption(
      new Option("--format <format>", "text on stderr for people, or one document on stdout")
        .choices(["text", ...Object.keys(documents)])
        .default("text"),
    )
    .action(check);
}

/** Exits with 1 if any spec has an error; warnings alone are no failure. */
async function check(paths: readonly string[], { format }: CheckOptions): Promise<void> {
  const found: Diagnostic[] = [];
  for (const path of paths) {
    const spec = await openSpec(path);
    const { diagnostics } = analyze(spec.text, spec.path, { readImport: spec.readImport });
    found.push(...diagnostics);
    if (format === "text") {
      showDiagnostics(spec, diagnostics);
      say(`${spec.path}: ${countDiagnostics(diagnostics)}`);
    }
  }
  if (format !== "text") print(documents[format](found));
  if (hasErrors(found)) throw new Reported(ExitCode.wrongInput);
}
