import { Option, type Command } from "commander";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.js";
import { renderJson } from "../../compiler/diagnostics/render-json.js";
import { renderSarif } from "../../compiler/diagnostics/render-sarif.js";
import { compile } from "../../compiler/index.js";
import { checkLimits } from "../../compiler/limits.js";
import { analyze } from "../../compiler/semantics/index.js";
import { applySafeFixes, chooseFixes } from "../../compiler/semantics/fix-all.js";
import type { DeviceLimits } from "../../program/limits.js";
import { ExitCode, Reported } from "../failure.js";
import { writeOutput } from "../files.js";
import { readLimits } from "../limits.js";
import { adapterOption, type AdapterOptions } from "../options.js";
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

interface CheckOptions extends AdapterOptions {
  readonly format: "text" | keyof typeof documents;
  readonly fix?: boolean;
  readonly limits?: string;
}

export function checkCommand(): Command {
  return describeCommand("check", "Check specs and show what is wrong with them. Needs no GPU.", [
    "check specs/alexnet.net",
    "check --fix alexnet.net",
    "check --limits default specs/vgg16.net",
    "check --format sarif specs/*.net > netc.sarif",
  ])
    .argument("<spec...>", "spec files")
    .addOption(
      new Option("--format <format>", "text on stderr, or one document on stdout")
        .choices(["text", ...Object.keys(documents)])
        .default("text"),
    )
    .option(
      "--limits <limits>",
      "also check a device's limits: default (WebGPU's minimum), adapter, or a JSON file",
    )
    .addOption(adapterOption())
    .option("--fix", "apply safe fixes in place, and report the remaining mistakes")
    .action(check);
}

/** Exits with 1 if any spec has an error; warnings alone are not a failure. */
async function check(
  paths: readonly string[],
  { format, fix = false, limits: wish, adapter }: CheckOptions,
): Promise<void> {
  const limits = wish === undefined ? undefined : await readLimits(wish, adapter);
  const found: Diagnostic[] = [];
  for (const path of paths) {
    if (fix) await fixSpec(path);
    const spec = await openSpec(path);
    const diagnostics = diagnose(spec, limits);
    found.push(...diagnostics);
    if (format === "text") {
      showDiagnostics(spec, diagnostics);
      say(`${spec.path}: ${countDiagnostics(diagnostics)}${offerToFix(diagnostics, spec)}`);
    }
  }
  if (format !== "text") print(documents[format](found));
  if (hasErrors(found)) throw new Reported(ExitCode.wrongInput);
}

/** What is wrong with a spec, and then what of it exceeds the limits, if there are any to keep. */
function diagnose(
  { text, path, readImport, readWeights }: SpecFile,
  limits: DeviceLimits | undefined,
): readonly Diagnostic[] {
  const { diagnostics, selected } = analyze(text, path, { readImport, readWeights });
  if (limits === undefined || hasErrors(diagnostics)) return diagnostics;
  const { compiled } = compile(text, { file: path, readImport });
  return [...diagnostics, ...checkLimits(compiled, selected?.recipe?.batch ?? 1, limits)];
}

/**
 * Applies the safe fixes to a spec's file and says which. Files that it imports stay as they are.
 */
async function fixSpec(path: string): Promise<void> {
  const { text, readImport, readWeights } = await openSpec(path);
  const host = { readImport, readWeights };
  const fixed = applySafeFixes(text, path, (changed) => analyze(changed, path, host));
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
