import { type ConstantFunction, functions } from "../calls/functions.js";
import { valueName } from "../calls/argument-types.js";
import { type ArgumentDeclaration, type Described, required } from "../calls/signature.js";
import type { AbsentNames } from "../calls/suggestion.js";
import { absentLayers } from "../layers/absent.js";
import { type LayerDefinition, layers } from "../layers/index.js";
import { formulaType } from "../layers/formula.js";
import { type FormulaFunction, formulaFunctions } from "../layers/formula-functions.js";
import { absentInitializers, initializers } from "../layers/initializers.js";
import { ignored } from "../layers/score.js";
import { formulaScore, losses, metrics } from "../layers/scores.js";
import type { Registry } from "../semantics/recipes/definition.js";
import { optimizers } from "../semantics/recipes/optimizers.js";
import {
  averages,
  loads,
  precisions,
  samplings,
  stops,
  bests,
  teachers,
} from "../semantics/recipes/policies.js";
import { schedules } from "../semantics/recipes/schedules.js";
import { sources } from "../semantics/recipes/sources.js";
import { stages } from "../semantics/recipes/stages.js";
import { transforms } from "../semantics/recipes/transforms.js";

/** What a spec may call without declaring it. */
export interface BuiltIn extends Described {
  /** What documentation calls it: `layer`, `optimizer`. */
  readonly noun: string;
  /** Markdown: the maths and its source, where the registry has them. */
  readonly documentation?: string;
  /** Calls as a spec writes them. */
  readonly examples: readonly string[];
}

/** All built-ins of one kind. */
export interface BuiltIns {
  readonly noun: string;
  /** A line of a spec in which a call is in its place. */
  readonly place: (call: string) => string;
  readonly definitions: readonly BuiltIn[];
  /** Names of the field that netc does not have, in plain letters, and what to do instead. */
  readonly absent: AbsentNames;
}

/** `mean` as a spec writes it: with a formula, which names prediction and target itself. */
const mean = {
  ...formulaScore,
  positional: ["formula"],
  arguments: { formula: required(formulaType, "of the network's output and the target") },
};

/** Functions of values in addition to the activations, which are layers. */
const formulas = formulaFunctions.map(({ parameters, isOfClasses, ...known }: FormulaFunction) => {
  const meaning = isOfClasses ? "a target of classes" : "a value or a number";
  const values: Record<string, ArgumentDeclaration<unknown>> = {};
  for (const name of parameters) values[name] = required(formulaType, meaning);
  if (isOfClasses) values["ignore"] = ignored;
  return { ...known, positional: parameters, arguments: values };
});

/** Everything that a spec may call without declaring it, by the place where it is called. */
export const builtIns = {
  layer: {
    noun: "layer",
    place: (call) => call,
    definitions: layers.map(ofLayer),
    absent: absentLayers,
  },
  loss: ofDefinitions("loss", [...losses, mean], (call) => `loss ${call}`),
  metric: ofDefinitions("metric", [...metrics, mean], (call) => `metric score = ${call}`),
  source: ofRegistry(sources, (call) => `train ${call}`),
  transform: ofRegistry(transforms, (call) => `folder("data/photos") { ${call} }`),
  optimizer: ofRegistry(optimizers, setting("optimizer")),
  schedule: ofRegistry(schedules, setting("schedule")),
  sampling: ofRegistry(samplings, setting("sampling")),
  average: ofRegistry(averages, setting("average")),
  unfreeze: ofRegistry(stages, setting("unfreeze")),
  stop: ofRegistry(stops, setting("stop")),
  best: ofRegistry(bests, setting("best")),
  precision: ofRegistry(precisions, setting("precision")),
  weights: ofRegistry(loads, setting("weights")),
  teacher: ofRegistry(teachers, setting("teacher")),
  initializer: ofDefinitions(
    "initializer",
    initializers,
    (call) => `conv(64, kernel=3, init=${call})`,
    absentInitializers,
  ),
  function: ofDefinitions("function", functions.map(ofFunction), (call) => `const size = ${call}`),
  formula: ofDefinitions("formula function", formulas, (call) => `let y = ${call}`),
} as const satisfies Readonly<Record<string, BuiltIns>>;

function setting(name: string) {
  return (call: string) => `${name} = ${call}`;
}

function ofLayer(layer: LayerDefinition): BuiltIn {
  return {
    ...withOthers(layer),
    noun: "layer",
    examples: layer.samples.map(({ spec }) => spec),
  };
}

function ofFunction({ name, example, aliases, summary }: ConstantFunction) {
  return { name, example, aliases, summary, positional: [], arguments: {} };
}

function ofDefinitions(
  noun: string,
  definitions: readonly (Described & { readonly example: string })[],
  place: BuiltIns["place"],
  absent: AbsentNames = {},
): BuiltIns {
  return {
    noun,
    place,
    definitions: definitions.map((each) => ({ ...each, noun, examples: [each.example] })),
    absent,
  };
}

function ofRegistry(
  { noun, definitions, absent }: Registry<unknown>,
  place: BuiltIns["place"],
): BuiltIns {
  return ofDefinitions(noun, definitions, place, absent);
}

/** A layer that reads other values has them as its first arguments. */
function withOthers(layer: LayerDefinition): LayerDefinition {
  if (!layer.others) return layer;
  const meaning = layer.others === "one" ? "the other value" : "another value; there may be more";
  return {
    ...layer,
    positional: ["value", ...layer.positional],
    arguments: { value: required(valueName(), meaning), ...layer.arguments },
  };
}
