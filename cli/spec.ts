/** From a spec's path to its analysis, with the diagnostics shown as they come. */
import { basename, dirname } from "node:path";
import type { Diagnostic } from "../compiler/diagnostics/diagnostic.js";
import { renderText } from "../compiler/diagnostics/render-text.js";
import { ExitCode, Reported } from "./failure.js";
import { readSpec } from "./files.js";
import { plural } from "./format.js";
import { say, wantsColor } from "./terminal.js";

/** A spec as read. */
export interface SpecFile {
  /** As the user wrote it; messages show it so. */
  readonly path: string;
  /** The file's name without `.net`: what generated files and runs are called. */
  readonly name: string;
  /** Where the spec lies; its data's paths start from here. */
  readonly folder: string;
  readonly text: string;
}

export async function openSpec(path: string): Promise<SpecFile> {
  const text = await readSpec(path);
  return { path, name: basename(path).replace(/\.net$/, ""), folder: dirname(path), text };
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === "error");
}

/** Shows diagnostics on stderr, with the spec's lines. */
export function showDiagnostics(spec: SpecFile, diagnostics: readonly Diagnostic[]): void {
  const color = wantsColor(process.stderr);
  for (const diagnostic of diagnostics) {
    say(`${renderText(diagnostic, spec.text, { color }).trimEnd()}\n`);
  }
}

/** Shows the diagnostics and ends the command if there is an error among them. */
export function requireNoErrors(spec: SpecFile, diagnostics: readonly Diagnostic[]): void {
  showDiagnostics(spec, diagnostics);
  if (!hasErrors(diagnostics)) return;
  say(`${spec.path}: ${countDiagnostics(diagnostics)}`);
  throw new Reported(ExitCode.wrongInput);
}

/** `2 errors, 1 warning`. */
export function countDiagnostics(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  const warnings = diagnostics.length - errors;
  const parts = [
    ...(errors > 0 ? [plural(errors, "error")] : []),
    ...(warnings > 0 ? [plural(warnings, "warning")] : []),
  ];
  return parts.join(", ") || "no problems";
}
