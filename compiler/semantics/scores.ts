import type { CallExpression, Span } from "../../grammar/ast.js";
import type { Fix } from "../diagnostics/diagnostic.js";
import { absentLosses, absentMetrics } from "./absent-scores.js";
import type { KnownLayer } from "../network/describe.js";
import type { ResolvedScore } from "../network/resolved.js";
import { warnOfDropout } from "./applied-twice.js";
import { bind } from "../calls/bind.js";
import { formatShape, isWide } from "../ir/shape.js";
import { wideNotes } from "../layers/wide-layers.js";
import { checkBoxScore } from "./box-scores.js";
import { checkLabelScore } from "./label-scores.js";
import { checkLogits, type LogitUse } from "./logit-scores.js";
import { checkValueScore } from "./value-scores.js";
import { insertAfter } from "../calls/edits.js";
import type { Environment } from "../calls/environment.js";
import { losses, metrics, type ScoreDefinition } from "../layers/scores.js";
import { type ScoreKind, shortNameOf } from "./score-use.js";
import type { Bound } from "../calls/signature.js";
import { adviseCall, didYouMean, listNames, renameFixes } from "../calls/suggestion.js";
import { valueOf } from "./place.js";
import type { NamedValue, Target } from "./values.js";

/** What a loss or a metric may refer to. */
export interface ScoreModel {
  readonly name: string;
  readonly values: ReadonlyMap<string, NamedValue>;
  readonly targets: readonly Target[];
  /** The model's inputs, which an autoencoder is compared with. */
  readonly inputs: readonly Target[];
  /** Named values further down. */
  readonly laterValues: ReadonlyMap<string, Span>;
  readonly lastCall: CallExpression | undefined;
  /**
   * Values that were complained about already: a loss and its metrics are usually taken of the same
   * one.
   */
  readonly complaints: Set<string>;
  /** By target, the label of pixels or tokens that losses so far ignore, if they do. */
  readonly ignored: Map<string, number | undefined>;
  /** Sums over pixels in formulas that read a mask, which pixels without a class count in. */
  readonly pixelSums: PixelSum[];
  /** The layers so far. */
  readonly layers: readonly KnownLayer[];
}

export interface PixelSum {
  readonly call: CallExpression;
  readonly mask: Target;
}

/** A score without the name that it is reported as. */
export type Score = Omit<ResolvedScore, "name" | "origin">;

const CHECKS = { labels: checkLabelScore, values: checkValueScore, boxes: checkBoxScore } as const;

const registries = {
  loss: { definitions: losses, code: "NET1016", absent: absentLosses },
  metric: { definitions: metrics, code: "NET1017", absent: absentMetrics },
} as const;

/** Checks a loss or a metric; undefined if it is wrong or of a value that a mistake hides. */
export function readScore(
  call: CallExpression,
  kind: ScoreKind,
  model: ScoreModel,
  environment: Environment,
): Score | undefined {
  const definition = findScore(call, kind, environment);
  const bound = definition && bind(call, definition, environment);
  if (!bound) return undefined;
  const [predictionName, targetName] = definition.positional as [string, string];
  const [first, second] = [
    argumentOf(call, bound, predictionName),
    argumentOf(call, bound, targetName),
  ];
  if (definition.against === "logits") {
    return readLogitScore({ call, definition, bound, first, second }, model, environment);
  }
  const prediction = findPrediction(first, model, environment);
  const target = findTarget(second, model, environment);
  if (prediction) markPrediction(first, prediction, environment);
  if (target) markTarget(second, target, environment);
  if (!prediction?.shape || !target) return undefined;
  if (definition.against !== "values" && !takesRank(first, prediction, environment)) {
    return undefined;
  }
  const { complaints, layers, ignored } = model;
  const values = { prediction, target };
  const use = { call, kind, definition, bound, ...values, complaints, ignored, layers };
  if (!CHECKS[definition.against](use, environment)) return undefined;
  if (kind === "loss") warnOfDropout(use, environment);
  const settings = withoutNames(bound.values, definition);
  const compared = { prediction: valueOf(prediction.current), target: target.value };
  return { definition, values: settings, ...compared };
}

/** Reports sums over pixels that count those which a mask leaves out. */
export function checkPixelSums(
  sums: readonly PixelSum[],
  ignored: ReadonlyMap<string, number | undefined>,
  { reporter }: Environment,
): void {
  for (const { call, mask } of sums) {
    const label = ignored.get(mask.name);
    if (label === undefined) continue;
    reporter.report("NET2049", {
      message:
        `\`${call.callee.name}\` over pixels counts those ` +
        `that \`ignore=${label}\` leaves out of \`${mask.name}\``,
      span: call.span,
      related: [{ span: mask.span, message: "some of its pixels have no class" }],
      notes: [
        `\`sum(one_hot(${mask.name}), over=channels)\` is 0 at these pixels, and 1 elsewhere: ` +
          "multiply by it before the sum",
      ],
    });
  }
}

/** Tokens are indices, and no numbers that a prediction comes near. */
function reportTokens(
  { name, span }: GivenName,
  target: Target,
  { reporter }: Pick<Environment, "reporter">,
): undefined {
  return reporter.report("NET2038", {
    message: `\`${name}\` is an input of tokens: no loss or metric compares with it`,
    span,
    related: [{ span: target.span, message: "declared here" }],
    notes: ["declare what is to be predicted as a target: `target label: u32[N] in 0..10`"],
  });
}

interface LogitCall extends Pick<LogitUse, "call" | "definition" | "bound"> {
  readonly first: GivenName;
  readonly second: GivenName;
}

/** A score of two values of the network. */
function readLogitScore(
  { first, second, ...use }: LogitCall,
  model: ScoreModel,
  environment: Environment,
): Score | undefined {
  const [logits, other] = [first, second].map((given) => {
    const value = findPrediction(given, model, environment);
    if (value) markPrediction(given, value, environment);
    return value;
  });
  if (!logits?.shape || !other?.shape) return undefined;
  if (!takesRank(first, logits, environment) || !takesRank(second, other, environment)) {
    return undefined;
  }
  if (!checkLogits({ ...use, logits, other }, environment)) return undefined;
  const values = withoutNames(use.bound.values, use.definition);
  const compared = { prediction: valueOf(logits.current), target: valueOf(other.current) };
  return { definition: use.definition, values, ...compared };
}

/** False after reporting a value of more axes than an image, which has no classes. */
function takesRank(
  { span }: GivenName,
  { shape, span: made }: NamedValue,
  { reporter }: Environment,
): boolean {
  if (!shape || !isWide(shape)) return true;
  reporter.report("NET2054", {
    message:
      "a loss or metric of classes takes values of at most 4 axes " +
      `but receives ${formatShape(shape)}`,
    label: `has ${shape.length} axes`,
    notes: wideNotes(),
    span,
    related: [{ span: made, message: "made here" }],
  });
  return false;
}

/** Settings of a score: prediction and target are known otherwise. */
function withoutNames(values: Bound["values"], { positional }: ScoreDefinition): Bound["values"] {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !positional.includes(name)));
}

/** A name that a call gives, and where. */
export interface GivenName {
  readonly name: string;
  readonly span: Span;
}

/** The value's place alone, without the argument's name. */
function argumentOf(call: CallExpression, { values, spans }: Bound, argument: string): GivenName {
  const whole = spans.get(argument)!;
  const span = call.arguments.find((given) => given.span === whole)?.value.span ?? whole;
  return { name: (values as Record<string, string>)[argument]!, span };
}

export function markPrediction(
  { name, span }: GivenName,
  { alias }: NamedValue,
  { names }: Environment,
): void {
  if (alias) names.use("value", name, span, alias.span);
}

export function markTarget(
  { name, span }: GivenName,
  { isInput, nameSpan }: Target,
  { names }: Environment,
): void {
  names.use(isInput ? "input" : "target", name, span, nameSpan);
}

/** `loss charbonnier(out, wanted)` of a declared function, which is of elements. */
export function reportFunctionAsScore(
  { callee, span }: CallExpression,
  kind: ScoreKind,
  { reporter }: Pick<Environment, "reporter">,
): undefined {
  const start = { span: { ...span, end: span.start }, newText: "mean(" };
  return reporter.report(registries[kind].code, {
    message: `\`${callee.name}\` is a function of elements, and not a ${kind}`,
    span: callee.span,
    notes: [`\`mean(${callee.name}(...))\` is its mean over the elements of an example`],
    fixes: [{ title: "write `mean` around it", edits: [start, insertAfter(span, ")")] }],
  });
}

function findScore(call: CallExpression, kind: ScoreKind, { reporter }: Environment) {
  const { callee } = call;
  const { definitions, code, absent } = registries[kind];
  const found = definitions.find((each) => each.name === callee.name);
  if (found) return found;
  const otherwise = [`netc knows ${listNames(definitions.map((each) => each.name))}`];
  const { question, ...advice } = adviseCall(call, { known: definitions, absent, otherwise });
  return reporter.report(code, {
    message: `there is no ${kind} \`${callee.name}\`${question}`,
    span: callee.span,
    ...advice,
  });
}

export function findPrediction(
  { name, span }: GivenName,
  model: ScoreModel,
  { reporter }: Environment,
): NamedValue | undefined {
  const shortName = name.split(".").at(-1)!;
  const matches = valuesNamed(name, model);
  if (matches.length > 1) return reportAmbiguous(name, span, matches, { reporter });
  const [found] = matches;
  if (found) return found;
  const later = model.laterValues.get(shortName);
  if (later) {
    return reporter.report("NET1012", {
      message: `\`${name}\` is used before it exists`,
      span,
      label: "used here",
      related: [{ span: later, message: "made only here" }],
      notes: ["a model is read from top to bottom: move this line below the layer"],
    });
  }
  if (model.complaints.has(name)) return undefined;
  model.complaints.add(name);
  const names = [...model.values.values()].map(shortNameOf);
  const known = names.length ? `named values are ${listNames(names)}` : "no layer has a name yet";
  return reporter.report("NET1021", {
    message: `model \`${model.name}\` has no value \`${name}\`${didYouMean(name, names)}`,
    span,
    notes: [`${known}; \`as ${shortName}\` after a layer names its output`],
    fixes: [...renameFixes(span, name, names), ...nameLastFixes(shortName, model)],
  });
}

/**
 * Named values with this full name, or else with this last part: `logits` is `classifier.logits`.
 */
export function valuesNamed(name: string, { values }: ScoreModel): readonly NamedValue[] {
  const exact = values.get(name);
  if (exact) return [exact];
  return [...values.values()].filter((value) => value.name.endsWith(`.${name}`));
}

function reportAmbiguous(
  name: string,
  span: Span,
  matches: readonly NamedValue[],
  { reporter }: Pick<Environment, "reporter">,
): undefined {
  return reporter.report("NET1021", {
    message: `\`${name}\` could be ${listNames(matches.map((match) => match.name))}`,
    span,
    related: matches.slice(0, 3).map((match) => ({ span: match.span, message: match.name })),
    fixes: matches.map((match) => ({
      title: `write \`${match.name}\``,
      edits: [{ span, newText: match.name }],
    })),
  });
}

/** Naming the last layer, where it has no name. */
function nameLastFixes(name: string, { lastCall }: ScoreModel): readonly Fix[] {
  if (!lastCall || lastCall.alias) return [];
  const edits = [insertAfter(lastCall.span, ` as ${name}`)];
  return [{ title: `name the last layer \`as ${name}\``, edits }];
}

export function findTarget(
  { name, span }: GivenName,
  scored: ScoreModel,
  { reporter }: Pick<Environment, "reporter">,
): Target | undefined {
  const { name: model, targets, inputs, complaints } = scored;
  const found = [...targets, ...inputs].find((each) => each.name === name);
  const isOfTokens = found?.isInput && found.type.dtype === "u32";
  if (found) return isOfTokens ? reportTokens({ name, span }, found, { reporter }) : found;
  const [target, ...others] = targets;
  const isNamedValue = valuesNamed(name, scored).length > 0;
  if (complaints.has(name)) return undefined;
  complaints.add(name);
  const names = targets.map((each) => each.name);
  if (isNamedValue) return reportValue({ name, span }, { reporter });
  return reporter.report("NET1021", {
    message:
      target && others.length === 0
        ? `the model's target is \`${target.name}\`, not \`${name}\``
        : `model \`${model}\` has no target \`${name}\`${didYouMean(name, names)}`,
    span,
    notes: target
      ? others.length > 0
        ? [`its targets are ${listNames(names)}`]
        : []
      : ["say what it is trained on: `target label: u32[N] in 0..10`"],
    fixes: targets.map((each) => {
      return { title: `write \`${each.name}\``, edits: [{ span, newText: each.name }] };
    }),
  });
}

/** Of two values of the network, both would be trained. */
function reportValue(
  { name, span }: GivenName,
  { reporter }: Pick<Environment, "reporter">,
): undefined {
  return reporter.report("NET1021", {
    message: `\`${name}\` is a value of the network, and a target or an input is expected`,
    span,
    notes: [
      "formulas compare values of the network: `mean((a - b)^2)`, " +
        "or `mean((a - stop(b))^2)` to train only what makes `a`",
    ],
  });
}
