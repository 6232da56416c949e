import type { Setting } from "../../../grammar/ast.js";
import type { AnalyzedModel } from "../analysis.js";
import type { Environment } from "../evaluate.js";
import { namesMatching, readPatterns, weightNames } from "./patterns.js";

export interface Freezing {
  /** Names of the weights that stay as they are. */
  readonly freeze?: readonly string[];
}

/** `freeze = [features.*]`. */
export function readFreezing(
  freeze: Setting | undefined,
  { graph }: AnalyzedModel,
  environment: Environment,
): Freezing {
  const patterns = freeze && readPatterns(freeze, environment);
  if (!graph || !patterns) return {};
  const names = weightNames(graph);
  const frozen = namesMatching(patterns, names, environment);
  if (frozen.length === names.length) reportAll(freeze, environment);
  return frozen.length > 0 ? { freeze: frozen } : {};
}

function reportAll({ value }: Setting, { reporter }: Environment): void {
  reporter.report("NET3023", {
    message: "`freeze` keeps every weight of the model as it is: nothing is left to train",
    span: value.span,
  });
}
