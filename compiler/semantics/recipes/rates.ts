import type { Expression, Setting } from "../../../grammar/ast.js";
import type { OptimizerSettings } from "../../../program/program.js";
import type { AnalyzedModel } from "../analysis.js";
import { float } from "../../calls/argument-types.js";
import type { Environment } from "../../calls/environment.js";
import { namesMatching, type Pattern, patternOf, readPatterns, weightsOf } from "./patterns.js";

/**
 * `lr_factors = [(features.*, 0.1), (*.bias, 2)]`: factors of the learning rate by the names of
 * weights; the last pattern that matches counts.
 */
export function readRateFactors(
  setting: Setting | undefined,
  model: AnalyzedModel,
  environment: Environment,
): Readonly<Record<string, number>> | undefined {
  const entries = setting && readFactors(setting, environment);
  if (!entries || !model.graph) return undefined;
  const weights = weightsOf(model);
  const factors = entries.flatMap(({ pattern, factor }) =>
    namesMatching([pattern], weights, environment).map((name) => [name, factor] as const),
  );
  return Object.fromEntries(factors);
}

interface Factor {
  readonly pattern: Pattern;
  readonly factor: number;
}

const factorType = float({ above: 0 });

function readFactors(
  { value, name }: Setting,
  environment: Environment,
): readonly Factor[] | undefined {
  const elements = value.kind === "list" ? value.elements : [value];
  const subject = `a factor of \`${name.name}\``;
  const read = elements.map((element) => readFactor(element, subject, environment));
  return read.every((each) => each !== undefined) ? read : undefined;
}

function readFactor(
  element: Expression,
  subject: string,
  environment: Environment,
): Factor | undefined {
  const [first, second, ...others] = element.kind === "tuple" ? element.elements : [];
  const pattern = first && patternOf(first);
  if (!pattern || !second || others.length > 0) {
    return environment.reporter.report("NET1009", {
      message: "`lr_factors` must be a list of weights and factors, such as `[(features.*, 0.1)]`",
      span: element.span,
    });
  }
  const factor = factorType.read(second, { ...environment, subject });
  return factor === undefined ? undefined : { pattern, factor };
}

/**
 * `no_decay = [*.bias, kind(batchnorm)]`: the names of the weights that weight decay leaves alone.
 */
export function readNoDecay(
  setting: Setting | undefined,
  model: AnalyzedModel,
  optimizer: OptimizerSettings | undefined,
  environment: Environment,
): readonly string[] {
  const patterns = setting && readPatterns(setting, environment);
  if (!patterns || !model.graph) return [];
  if (optimizer?.weightDecay === 0) {
    environment.reporter.report("NET3057", {
      message: "`no_decay` has no effect: the optimizer's weight decay is 0",
      span: setting.name.span,
      notes: ["set it in the optimizer, for instance `weight_decay=5e-4`"],
    });
  }
  return namesMatching(patterns, weightsOf(model), environment);
}
