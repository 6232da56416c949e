/**
 * `step d { update = discriminator }`: parts of a training step, each of which trains some of the
 * weights by a separate loss.
 */
import type { Setting, StepDeclaration, TrainDeclaration } from "../../../grammar/ast.js";
import { isCounting } from "../../../program/optimizers.js";
import type { OptimizerSettings } from "../../../program/program.js";
import type { TrainStep } from "../../../program/recipe.js";
import type { Environment } from "../../calls/environment.js";
import { adviseName, didYouMean, listNames } from "../../calls/suggestion.js";
import type { Graph } from "../../ir/graph.js";
import { reachedWeights } from "../../ir/reach.js";
import type { AnalyzedModel } from "../analysis.js";
import { reportTwice, withoutDuplicates } from "../duplicates.js";
import { namesMatching, readPatterns, weightsOf } from "./patterns.js";
import { stepSettings } from "./settings.js";

interface Parts {
  readonly declaration: TrainDeclaration;
  readonly model: AnalyzedModel;
  /** The recipe's optimizer, where it has one, and what a step's own settings make of it. */
  readonly optimizerOf: (settings: ReadonlyMap<string, Setting>) => OptimizerSettings | undefined;
  /** Weights that are not trained. */
  readonly frozen: ReadonlySet<string>;
}

/** Undefined for a recipe without steps. What is wrong is reported. */
export function readSteps(
  parts: Parts,
  environment: Environment,
): readonly TrainStep[] | undefined {
  const { declaration, model } = parts;
  checkKeywords(declaration, environment);
  const steps = distinct(declaration.steps, environment);
  const losses = lossesOf(model);
  if (steps.length === 0) return void checkNamed(declaration, losses, environment);
  const { graph } = model;
  const read = steps.flatMap((step) => {
    const settings = settingsOf(step, environment);
    const update = settings.get("update");
    if (!update) reportNoUpdate(step, environment);
    const optimizer = parts.optimizerOf(settings);
    if (!graph || !checkLoss(step, losses, model, environment)) return [];
    const names = update && readUpdate(update, step, parts, environment);
    return names && optimizer ? [{ name: step.name.name, update: names, optimizer, step }] : [];
  });
  if (graph) checkEveryLoss(declaration, losses, environment);
  if (read.length < steps.length) return [];
  checkTogether(read, environment);
  warnOfUntouched(read, parts, environment);
  return read.map(({ name, update, optimizer }) => ({ name, update, optimizer }));
}

const lossesOf = ({ network }: AnalyzedModel): ReadonlySet<string> =>
  new Set(network?.losses.flatMap(({ of }) => of ?? []));

function checkKeywords({ steps }: TrainDeclaration, { reporter }: Environment): void {
  for (const { keyword } of steps) {
    if (keyword.name === "step") continue;
    const vocabulary = {
      known: [{ name: "step", aliases: ["optimize", "update", "phase"] }],
      otherwise: [],
    };
    const { question, fixes } = adviseName(keyword, vocabulary);
    reporter.report("NET3080", {
      message: `a recipe has no \`${keyword.name} { ... }\`${question}`,
      span: keyword.span,
      notes: ["`step d { update = discriminator }` trains some of the weights by the loss `d`"],
      fixes,
    });
  }
}

/** A second step of one loss is reported. */
function distinct(
  steps: readonly StepDeclaration[],
  { reporter }: Environment,
): readonly StepDeclaration[] {
  const known = new Map<string, StepDeclaration>();
  for (const step of steps) {
    const { name, span } = step.name;
    const first = known.get(name);
    if (first) reportTwice(name, "step", { first: first.name.span, second: span }, reporter);
    else known.set(name, step);
  }
  return [...known.values()];
}

/** Of a recipe without steps: a model with one loss needs none. */
function checkNamed(
  { name, model }: TrainDeclaration,
  losses: ReadonlySet<string>,
  { reporter }: Environment,
): void {
  if (losses.size < 2) return;
  reporter.report("NET3080", {
    message:
      `train \`${name.name}\` does not say which weights each of the losses ` +
      `${listNames([...losses])} trains`,
    span: model.span,
    notes: [
      `add a step for each: \`step ${[...losses][0]} { update = SECTION }\``,
      "losses of the same weights are one sum: `loss a(...) + b(...)`",
    ],
  });
}

function settingsOf(
  step: StepDeclaration,
  { reporter }: Environment,
): ReadonlyMap<string, Setting> {
  for (const { name } of step.settings) {
    if (stepSettings.some((each) => each.name === name.name)) continue;
    const otherwise = [
      `settings of a step are ${listNames(stepSettings.map((each) => each.name))}`,
    ];
    const { question, ...advice } = adviseName(name, { known: stepSettings, otherwise });
    reporter.report("NET3003", {
      message: `a step has no setting \`${name.name}\`${question}`,
      span: name.span,
      ...advice,
    });
  }
  return withoutDuplicates(step.settings, "setting", reporter);
}

function reportNoUpdate({ name }: StepDeclaration, { reporter }: Environment): void {
  reporter.report("NET3080", {
    message: `step \`${name.name}\` does not say which weights it updates`,
    span: name.span,
    notes: [
      "in PyTorch, the parameters of its optimizer say it; here `update = discriminator` does",
    ],
  });
}

/** False after a report, or where a mistake in the model hides its losses. */
function checkLoss(
  { name }: StepDeclaration,
  losses: ReadonlySet<string>,
  { name: model, network }: AnalyzedModel,
  { reporter }: Environment,
): boolean {
  if (losses.has(name.name)) return true;
  if (!network || network.losses.length === 0) return false;
  const names = [...losses];
  reporter.report("NET3080", {
    message: `model \`${model}\` has no loss \`${name.name}\`${didYouMean(name.name, names)}`,
    span: name.span,
    notes: [
      names.length > 0
        ? `its losses are ${listNames(names)}`
        : `its loss has no name: \`loss ${name.name} = ...\` gives it one`,
    ],
  });
  return false;
}

/** The weights that a step trains; undefined after a report. */
function readUpdate(
  update: Setting,
  { name }: StepDeclaration,
  { model, frozen }: Parts,
  environment: Environment,
): readonly string[] | undefined {
  const patterns = readPatterns(update, environment);
  if (!patterns) return undefined;
  const matching = namesMatching(patterns, weightsOf(model), environment);
  const { reporter } = environment;
  const { span } = update.value;
  if (matching.length === 0) return undefined;
  const trained = matching.filter((weight) => !frozen.has(weight));
  if (trained.length === 0) {
    return reporter.report("NET3023", {
      message: `\`freeze\` freezes all weights that step \`${name.name}\` updates`,
      span,
    });
  }
  const reached = reachedWeights(minimizing(model.graph!, name.name));
  const out = trained.filter((weight) => !reached.has(weight));
  if (out.length === 0) return trained;
  const all = out.length === trained.length;
  return reporter.report("NET3080", {
    message: all
      ? `the loss \`${name.name}\` does not depend on the weights that its step updates`
      : `step \`${name.name}\` updates \`${out[0]}\`, ` + "on which its loss does not depend",
    span,
    notes: [
      `its gradient comes to ${listNames(sectionsOf(reached))}`,
      "values behind `stop(...)` get no gradient",
    ],
  });
}

/** The graph whose loss is the one of a name. */
const minimizing = (graph: Graph, name: string): Graph => {
  return { ...graph, metrics: graph.metrics.filter((score) => score.name === name) };
};

const sectionsOf = (names: Iterable<string>): readonly string[] => [
  ...new Set([...names].map((name) => name.split(".")[0]!)),
];

function checkEveryLoss(
  { steps, name }: TrainDeclaration,
  losses: ReadonlySet<string>,
  { reporter }: Environment,
): void {
  const missing = [...losses].filter((loss) => !steps.some((step) => step.name.name === loss));
  // A step of another name is reported by itself.
  if (missing.length === 0 || steps.some((step) => !losses.has(step.name.name))) return;
  reporter.report("NET3080", {
    message: `train \`${name.name}\` has no step that minimizes ${listNames(missing)}`,
    span: name.span,
    notes: [`add \`step ${missing[0]} { update = SECTION }\``],
  });
}

type ReadStep = TrainStep & { readonly step: StepDeclaration };

/** Weights have one optimizer, and all of them are of one kind. */
function checkTogether(steps: readonly ReadStep[], { reporter }: Environment): void {
  const owners = new Map<string, ReadStep>();
  for (const each of steps) {
    const { span } = each.step.name;
    const twice = each.update.find((name) => owners.has(name));
    if (twice) {
      const first = owners.get(twice)!;
      reporter.report("NET3080", {
        message: `\`${twice}\` is updated by the steps \`${first.name}\` and \`${each.name}\``,
        span,
        related: [{ span: first.step.name.span, message: "updates it, too" }],
        notes: ["each weight has one optimizer, and so one step"],
      });
    }
    for (const name of each.update) owners.set(name, each);
    const { kind } = each.optimizer;
    const [{ optimizer: first }] = steps as readonly [ReadStep];
    const differs = kind !== first.kind;
    if (!differs && !isCounting(kind)) continue;
    reporter.report("NET3081", {
      message: differs
        ? `step \`${each.name}\` has \`${kind}\`, and the first step \`${first.kind}\``
        : `steps cannot be taken by \`${kind}\`, which counts its updates on the device`,
      span,
      notes: [
        differs
          ? "the steps of a recipe have optimizers of one kind; their settings may differ"
          : "use `adam` or `adamw`",
      ],
    });
  }
}

/** Warns of weights that stay as they began. */
function warnOfUntouched(
  steps: readonly ReadStep[],
  { declaration, model, frozen }: Parts,
  environment: Environment,
): void {
  const updated = new Set(steps.flatMap(({ update }) => update));
  const { names } = weightsOf(model);
  const left = names.filter((name) => !updated.has(name) && !frozen.has(name));
  if (left.length === 0) return;
  environment.reporter.report("NET3082", {
    message: `no step updates ${listNames(left.length > 2 ? sectionsOf(left) : left)}`,
    span: declaration.name.span,
    label: `${left.length} of ${names.length} weights keep their initial values`,
    notes: ["if that is intended, say so: `freeze = [...]`"],
  });
}

/** Settings that have no meaning, or another one, where a step has parts. */
const REFUSED: Readonly<Record<string, string>> = {
  unfreeze: "its phases have optimizers that start again",
  average: "an average follows the update of a step, and a step has several",
  teacher: "train the student in a recipe without steps",
  stop: "the losses of two sections that compete do not fall: compare samples instead",
  precision: "mixed precision has one loss scale, and each step would need its own",
  sync_batchnorm: "several ranks cannot share a step that has parts",
};

/** Reports settings that do not go with steps. */
export function checkBesideSteps(
  settings: ReadonlyMap<string, Setting>,
  { reporter }: Environment,
): void {
  for (const [name, { span, value }] of settings) {
    const isPlateau =
      name === "schedule" && value.kind === "call" && value.callee.name === "reduce_on_plateau";
    const isPlain = name === "precision" && value.kind === "name" && value.name === "f32";
    const why = isPlateau ? REFUSED["stop"] : REFUSED[name];
    if (why === undefined || isPlain) continue;
    reporter.report("NET3081", {
      message: `\`${isPlateau ? "reduce_on_plateau" : name}\` does not go with \`step\``,
      span,
      notes: [why],
    });
  }
}
