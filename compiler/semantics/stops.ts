/** Weights that `stop` keeps from being trained. */
import type { Span } from "../../grammar/ast.js";
import type { Environment } from "../calls/environment.js";
import { listNames } from "../calls/suggestion.js";
import type { Expression } from "../ir/expression.js";
import type { Graph } from "../ir/graph.js";
import { hasStop, stoppedWeights, stopsAfter } from "../ir/reach.js";
import { formula } from "../layers/formula.js";
import { stop } from "../layers/stop.js";
import type { ResolvedLayer, ResolvedLoss } from "../network/resolved.js";
import type { AnalyzedModel } from "./analysis.js";

/** More names than these are only counted. */
const NAMES_SHOWN = 3;

interface Training {
  /** Names of weights that are frozen at first. */
  readonly freeze: readonly string[];
  /** Of the model as its recipe names it; of its name where no recipe trains it. */
  readonly span: Span;
}

/** Warns of weights that no gradient comes to; reports a model of which nothing is trained. */
export function checkStops(
  model: AnalyzedModel,
  { freeze, span }: Training,
  environment: Environment,
): void {
  const { name, network } = model;
  if (!network || !(network.layers.some(isStop) || network.losses.some(hasConstant))) return;
  const { graph } = model;
  if (!graph) return;
  const frozen = new Set(freeze);
  const stopped = stoppedWeights(graph).filter(({ value }) => !frozen.has(value.name));
  const [first] = stopped;
  if (!first) return;
  const related = stopsAfter(graph, first.value)
    .slice(0, 2)
    .map(({ origin }) => ({ span: origin.span, message: "the gradient ends here" }));
  if (isNothingLeft(graph, new Set([...freeze, ...stopped.map(({ value }) => value.name)]))) {
    environment.reporter.report("NET3023", {
      message:
        `\`stop\` keeps the loss from training any weights of model \`${name}\`, ` +
        "and so nothing changes",
      span,
      related,
    });
    return;
  }
  const names = stopped.map(({ value }) => value.name);
  const isOne = names.length === 1;
  environment.reporter.report("NET2070", {
    message:
      `\`${first.value.name}\`${isOne ? " gets" : ` and ${names.length - 1} more get`} ` +
      `no gradient: the loss depends on ${isOne ? "it" : "them"} only through \`stop\``,
    span: first.value.origin.span,
    label: `${isOne ? "keeps its" : "keep their"} initial values`,
    related,
    notes: [
      ...(isOne ? [] : [`they are ${listFew(names)}`]),
      "if that is intended, say so in the recipe: `freeze = [...]`",
    ],
  });
}

function listFew(names: readonly string[]): string {
  const more = names.length - NAMES_SHOWN;
  return `${listNames(names.slice(0, NAMES_SHOWN))}${more > 0 ? ` and ${more} more` : ""}`;
}

/** Without one, there is no need to make the graph. */
const isStop = ({ definition, values }: ResolvedLayer): boolean =>
  definition === stop || (definition === formula && hasStop(values.expression as Expression));

const hasConstant = ({ score }: ResolvedLoss): boolean => score.target?.from === "layer";

const isNothingLeft = ({ parameters }: Graph, untrained: ReadonlySet<string>): boolean =>
  parameters.every(({ role, value }) => role !== "weight" || untrained.has(value.name));
