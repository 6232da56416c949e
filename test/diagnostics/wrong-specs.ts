/** specs/errors: every folder holds a wrong spec and the messages that it gives. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { compile } from "../../compiler/index.js";
import { checkLimits } from "../../compiler/limits.js";
import { DEFAULT_LIMITS } from "../../program/limits.js";
import {
  analyze,
  type Analysis,
  type AnalyzeOptions,
  type ReadImport,
} from "../../compiler/semantics/index.js";
import { checkRun, type RunFacts } from "../../compiler/semantics/recipes/check-run.js";
import type { ExportModel } from "../../interchange/export/model.js";
import { ExportError } from "../../interchange/export/refusal.js";
import { tfjsExporter } from "../../interchange/export/tfjs/index.js";
import { exportModel } from "../interchange/export-cases.js";
import { lookIntoWeights } from "../../cli/weights-host.js";

const root = join(import.meta.dirname, "../../specs/errors");

export const wrongSpecs = readdirSync(root).sort();

/** `NET0002` of `NET0002-block`. */
export function codeOf(folder: string): string {
  return folder.split("-")[0] ?? folder;
}

/** The file with the messages that a wrong spec should give. */
export function goldenOf(folder: string): string {
  return join(root, folder, "expected.txt");
}

/** How its host reads the files next to a wrong spec. */
export function hostOf(folder: string): Pick<AnalyzeOptions, "readImport" | "readWeights"> {
  const readImport: ReadImport = (path) => {
    const file = join(root, folder, path);
    return existsSync(file)
      ? { file: basename(path), text: readFileSync(file, "utf8") }
      : undefined;
  };
  return {
    readImport,
    readWeights: (path, _, request) =>
      lookIntoWeights(path, join(root, folder, "spec.net"), request),
  };
}

/** What a run of the spec would find in its data, for mistakes that only the data tell. */
export function factsOf(folder: string): RunFacts | undefined {
  const file = join(root, folder, "run.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as RunFacts) : undefined;
}

export function analyzeWrongSpec(folder: string): Analysis {
  const spec = readFileSync(join(root, folder, "spec.net"), "utf8");
  const host = hostOf(folder);
  const analysis = analyze(spec, "spec.net", host);
  const facts = factsOf(folder);
  if (facts) {
    const run = checkRun(analysis, facts);
    return { ...analysis, diagnostics: [...analysis.diagnostics, ...run] };
  }
  if (codeOf(folder).startsWith("NET5")) {
    return { ...analysis, diagnostics: refusalsOf(exportModel(spec, "spec.net")) };
  }
  if (!codeOf(folder).startsWith("NET4")) return analysis;
  const { compiled } = compile(spec, { file: "spec.net", ...host });
  const { batch = 1 } = analysis.selected?.recipe ?? {};
  return { ...analysis, diagnostics: checkLimits(compiled, batch, DEFAULT_LIMITS) };
}

/** What an export to TensorFlow.js refuses. */
function refusalsOf(model: ExportModel): Analysis["diagnostics"] {
  try {
    const choices = { as: "f32", softmax: false, preprocessing: false } as const;
    tfjsExporter.write(model, { ...choices, path: "model.json", version: "0" });
    return [];
  } catch (error) {
    if (error instanceof ExportError) return error.diagnostics;
    throw error;
  }
}
