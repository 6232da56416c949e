import { Option, type Command } from "commander";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.js";
import { renderJson } from "../../compiler/diagnostics/render-json.js";
import { analyze } from "../../compiler/semantics/index.js";
import { ExitCode, Reported } from "../failure.js";
import { countDiagnostics, hasErrors, openSpec, showDiagnostics } from "../spec.js";
import { print, say } from "../terminal.js";
import { describeCommand } from "./command.js";

interface CheckOptions {
  readonly format: "text" | "json";
}

export function checkCommand(): Command {
  return describeCommand("check", "Check specs and show what is wrong with them. Needs no GPU.", [
    "check specs/alexnet.net",
    "check --format json specs/*.net",
  ])
    .argument("<spec...>", "spec files")
    .addOption(
      new Option("--format <format>", "text on stderr for people, or one JSON document on stdout")
        .choices(["text", "json"])
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
  if (format === "json") print(renderJson(found));
  if (hasErrors(found)) throw new Reported(ExitCode.wrongInput);
}
