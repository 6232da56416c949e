import { parse } from "../../grammar/index.js";
import { diagnosticFromSyntax } from "../diagnostics/from-syntax.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { Analysis, AnalyzeOptions } from "./analysis.js";
import { analyzeSpec } from "./analyze-spec.js";
import { keepHelpfulFixes } from "./check-fixes.js";

export type {
  Analysis,
  AnalyzedModel,
  AnalyzeOptions,
  ReadImport,
  RecipeOverrides,
  ReadWeights,
  WeightsShapes,
} from "./analysis.js";
export { countParameters, macsOfBackward } from "../network/describe.js";
export type { AnalyzedLayer } from "../network/describe.js";
export { unfedBy } from "./recipes/check-tensors.js";
export type { Group } from "../network/resolved.js";

/**
 * Everything a spec means and everything that is wrong with it: never throws because of the text.
 * Models with errors have no graph, recipes with errors are left out.
 */
export function analyze(text: string, file: string, options: AnalyzeOptions = {}): Analysis {
  const analysis = analyzeText(text, file, options);
  const again = (changed: string) => analyzeText(changed, file, options).diagnostics;
  const layers = analysis.models.reduce((sum, model) => sum + model.layers.length, 0);
  return {
    ...analysis,
    diagnostics: keepHelpfulFixes({ file, text, layers }, analysis.diagnostics, again),
  };
}

function analyzeText(text: string, file: string, options: AnalyzeOptions): Analysis {
  const { spec, problems } = parse(text, file);
  const analysis = analyzeSpec(spec, text, options);
  if (problems.length === 0) return analysis;
  const diagnostics = [
    ...problems.map(diagnosticFromSyntax),
    ...analysis.diagnostics.filter(isCertain),
  ];
  return { ...analysis, diagnostics };
}

/**
 * Where the text is broken, a part of the network may be lost, and shapes and names with it. These
 * mistakes are there all the same, because they concern one call alone.
 */
const CERTAIN = ["NET1001", "NET1002", "NET1008", "NET1009", "NET1010", "NET1011", "NET1018"];

function isCertain({ code }: Diagnostic): boolean {
  return CERTAIN.includes(code);
}
