/** A spec as a bundler wants it: a module, its declarations, and what is wrong at which place. */
import { basename } from "node:path";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.js";
import { renderText } from "../../compiler/diagnostics/render-text.js";
import { compile, insideFileOf } from "../../compiler/index.js";
import { wrongUsage } from "../failure.js";
import { openSpec } from "../spec.js";

/** A diagnostic in the form that Rollup and Vite's overlay show. */
export interface BundlerMessage {
  readonly message: string;
  readonly id: string;
  /** Lines count from 1, columns from 0. */
  readonly loc: { readonly file: string; readonly line: number; readonly column: number };
  /** The diagnostic with the lines of the spec, as `netc check` prints it. */
  readonly frame: string;
}

export interface CompiledModule {
  /** Empty if there are errors. */
  readonly module: string;
  readonly declarations: string;
  /** What the module loads to see inside: the text of `NAME.net?inspect`; empty without it. */
  readonly insideModule: string;
  /** Files that the spec imports: a change of them is a change of the module. */
  readonly imports: readonly string[];
  readonly errors: readonly BundlerMessage[];
  readonly warnings: readonly BundlerMessage[];
}

export interface CompileSettings {
  /** The model to compile, where a spec has several. */
  readonly model?: string | undefined;
  /** The recipe whose optimizer is compiled in. */
  readonly train?: string | undefined;
  /** Leaves out all that only training and evaluation need. */
  readonly predictOnly?: boolean | undefined;
  /** Adds `activations` and `attribution`, in a part of the bundle that is loaded on demand. */
  readonly inspect?: boolean | undefined;
}

/** Compiles the spec at `path`. Throws where the file cannot be read. */
export async function compileFile(
  path: string,
  settings: CompileSettings = {},
): Promise<CompiledModule> {
  const spec = await openSpec(path);
  const { readImport, readWeights } = spec;
  const { model, train, predictOnly, inspect } = settings;
  if (predictOnly && inspect) {
    throw wrongUsage("`inspect` needs what `predictOnly` leaves out: choose one of them");
  }
  const host = { readImport, readWeights };
  const compiled = compile(spec.text, { file: path, model, train, predictOnly, inspect, ...host });
  const messages = (severity: Diagnostic["severity"]) =>
    compiled.diagnostics
      .filter((diagnostic) => diagnostic.severity === severity)
      .map((diagnostic) => messageOf(diagnostic, spec.textOf(diagnostic.primary.span.file)));
  return {
    module: importingFromSpec(compiled.module, basename(path)),
    insideModule: compiled.insideModule,
    declarations: compiled.declarations,
    imports: spec.imports(),
    errors: messages("error"),
    warnings: messages("warning"),
  };
}

/** What `netc compile` writes into a file next to the module is the spec with a query here. */
const importingFromSpec = (module: string, spec: string): string =>
  module.replace(
    `import(${JSON.stringify(`./${insideFileOf(spec)}`)})`,
    `import(${JSON.stringify(`./${spec}?inspect`)})`,
  );

/** Whether this is a module's part that sees inside. */
export const isInside = (query: string): boolean => /[?&]inspect\b/.test(query);

function messageOf(diagnostic: Diagnostic, text: string): BundlerMessage {
  const { file, start } = diagnostic.primary.span;
  return {
    message: `${diagnostic.code}: ${diagnostic.message}`,
    id: file,
    loc: { file, line: start.line, column: start.column - 1 },
    frame: renderText(diagnostic, text, { color: false }).trimEnd(),
  };
}
