/** From a spec's path to its analysis, with the diagnostics shown as they come. */
import { basename, dirname, join } from "node:path";
import type { Diagnostic } from "../compiler/diagnostics/diagnostic.js";
import { renderText } from "../compiler/diagnostics/render-text.js";
import type { ReadImport, ReadWeights } from "../compiler/semantics/index.js";
import { readTextSync } from "../runtime/node/read-file.js";
import { ExitCode, Reported } from "./failure.js";
import { readSpec } from "./files.js";
import { plural } from "./format.js";
import { say, wantsColor } from "./terminal.js";
import { lookIntoWeights } from "./weights-host.js";

/** A spec as read. */
export interface SpecFile {
  /** As the user wrote it; messages show it so. */
  readonly path: string;
  /** The file's name without `.net`: what generated files and runs are called. */
  readonly name: string;
  /** Where the spec lies; its data's paths start from here. */
  readonly folder: string;
  readonly text: string;
  /** Reads the files that it imports. */
  readonly readImport: ReadImport;
  /** Looks into the weights files that its recipes load. */
  readonly readWeights: ReadWeights;
  /** The text of the spec, or of a file that was imported, by the name that messages give it. */
  textOf(file: string): string;
  /** Paths of the files that were imported so far. */
  readonly imports: () => readonly string[];
  /** Paths of the spec and of all files that imports named so far, missing ones included. */
  readonly files: () => readonly string[];
}

export async function openSpec(path: string): Promise<SpecFile> {
  const text = await readSpec(path);
  const imports = new Map<string, string | undefined>();
  const readImport: ReadImport = (target, importer) => {
    const file = join(dirname(importer), target);
    const imported = readImported(file);
    imports.set(file, imported);
    return imported === undefined ? undefined : { file, text: imported };
  };
  const name = basename(path).replace(/\.net$/, "");
  const textOf = (file: string) => imports.get(file) ?? text;
  return {
    path,
    name,
    folder: dirname(path),
    text,
    readImport,
    readWeights: lookIntoWeights,
    textOf,
    imports: () => [...imports.keys()].filter((file) => imports.get(file) !== undefined),
    files: () => [path, ...imports.keys()],
  };
}

function readImported(file: string): string | undefined {
  try {
    return readTextSync(file);
  } catch {
    return undefined;
  }
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === "error");
}

/** Shows diagnostics on stderr, with the spec's lines. */
export function showDiagnostics(spec: SpecFile, diagnostics: readonly Diagnostic[]): void {
  const color = wantsColor(process.stderr);
  for (const diagnostic of diagnostics) {
    say(
      `${renderText(diagnostic, spec.textOf(diagnostic.primary.span.file), { color }).trimEnd()}\n`,
    );
  }
}

/** Shows the diagnostics and ends the command if there is an error among them. */
export function requireNoErrors(spec: SpecFile, diagnostics: readonly Diagnostic[]): void {
  showDiagnostics(spec, diagnostics);
  if (!hasErrors(diagnostics)) return;
  say(`${spec.path}: ${countDiagnostics(diagnostics)}`);
  throw new Reported(ExitCode.wrongInput, spec.files());
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
