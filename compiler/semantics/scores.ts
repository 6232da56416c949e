import type { CallExpression, Span } from "../../grammar/ast.js";
import type { Fix } from "../diagnostics/diagnostic.js";
import type { Value } from "../ir/graph.js";
import { formatShape } from "../ir/shape.js";
import { bind } from "./bind.js";
import { insertAfter } from "./edits.js";
import type { Environment } from "./evaluate.js";
import { losses, metrics, type ScoreDefinition } from "./losses.js";
import type { ArgumentValues, Bound } from "./signature.js";
import { didYouMean, listNames, renameFixes } from "./suggestion.js";
import type { NamedValue, Target } from "./values.js";

export type ScoreKind = "loss" | "metric";

/** What a loss or a metric may refer to. */
export interface ScoreModel {
  readonly name: string;
  readonly values: ReadonlyMap<string, NamedValue>;
  readonly target: Target | undefined;
  /** Named values that stand further down. */
  readonly laterValues: ReadonlyMap<string, Span>;
  readonly lastCall: CallExpression | undefined;
  /** Values that were complained about already: a loss and its metrics are usually taken of the same one. */
  readonly complaints: Set<string>;
}

export interface Score {
  readonly definition: ScoreDefinition;
  readonly inputs: readonly [logits: Value, labels: Value];
  readonly values: ArgumentValues<ScoreDefinition["arguments"]>;
  /** Index of the layer that it is taken of. */
  readonly index: number;
}

const registries = {
  loss: { definitions: losses, code: "NET1016" },
  metric: { definitions: metrics, code: "NET1017" },
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
  const { logits: logitsName, labels: labelsName } = bound.values as Record<string, string>;
  const logits = findLogits(logitsName!, bound.spans.get("logits")!, model, environment);
  const target = findTarget(labelsName!, bound.spans.get("labels")!, model, environment);
  if (!logits?.shape || !target) return undefined;
  const isValid = checkScore(
    { call, kind, bound, logits, target, complaints: model.complaints },
    environment,
  );
  if (!isValid || !logits.value) return undefined;
  environment.names.use("value", logitsName!, bound.spans.get("logits")!, logits.alias!.span);
  environment.names.use("target", target.name, bound.spans.get("labels")!, target.nameSpan);
  const { index } = logits.current;
  return { definition, inputs: [logits.value, target.value], values: bound.values, index };
}

function findScore({ callee }: CallExpression, kind: ScoreKind, { reporter }: Environment) {
  const { definitions, code } = registries[kind];
  const found = definitions.find((each) => each.name === callee.name);
  if (found) return found;
  return reporter.report(code, {
    message: `there is no ${kind} \`${callee.name}\`${didYouMean(callee.name, definitions)}`,
    span: callee.span,
    notes: [`netc knows ${listNames(definitions.map((each) => each.name))}`],
    fixes: renameFixes(callee.span, callee.name, definitions),
  });
}

function findLogits(
  name: string,
  span: Span,
  model: ScoreModel,
  { reporter }: Environment,
): NamedValue | undefined {
  const shortName = name.split(".").at(-1)!;
  const matches = valuesNamed(name, model);
  if (matches.length > 1) return reportAmbiguous(name, span, matches, { reporter });
  if (matches[0]) return matches[0];
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

/** Named values with this full name, or else with this last part: `logits` is `classifier.logits`. */
function valuesNamed(name: string, { values }: ScoreModel): readonly NamedValue[] {
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

/** The name as the spec writes it, without sections. */
function shortNameOf({ alias, name }: NamedValue): string {
  return alias?.name ?? name;
}

/** Naming the last layer, where it has no name. */
function nameLastFixes(name: string, { lastCall }: ScoreModel): readonly Fix[] {
  if (!lastCall || lastCall.alias) return [];
  const edits = [insertAfter(lastCall.span, ` as ${name}`)];
  return [{ title: `name the last layer \`as ${name}\``, edits }];
}

function findTarget(
  name: string,
  span: Span,
  { name: model, target, complaints }: ScoreModel,
  { reporter }: Environment,
): Target | undefined {
  if (target?.name === name) return target;
  if (complaints.has(name)) return undefined;
  complaints.add(name);
  return reporter.report("NET1021", {
    message: target
      ? `labels come from the model's target \`${target.name}\`, not from \`${name}\``
      : `model \`${model}\` has no target \`${name}\``,
    span,
    notes: target ? [] : ["say what it is trained on: `target label: u32[N] in 0..10`"],
    fixes: target
      ? [{ title: `write \`${target.name}\``, edits: [{ span, newText: target.name }] }]
      : [],
  });
}

interface ScoreUse {
  readonly call: CallExpression;
  readonly kind: ScoreKind;
  readonly bound: Bound;
  readonly logits: NamedValue;
  readonly target: Target;
  readonly complaints: Set<string>;
}

function checkScore(use: ScoreUse, environment: Environment): boolean {
  const { logits, kind } = use;
  if (logits.shape!.length !== 2) return reportRank(use, environment);
  // The loss speaks for the metrics, which are taken of the same values.
  if (kind === "loss" && logits.layer === "softmax") warnOfSoftmax(use, environment);
  return (kind === "metric" || checkClasses(use, environment)) && checkK(use, environment);
}

function reportRank(use: ScoreUse, { reporter }: Environment): false {
  const { call, bound, logits, complaints } = use;
  if (complaints.has(logits.name)) return false;
  complaints.add(logits.name);
  reporter.report("NET2009", {
    message: `\`${call.callee.name}\` needs logits [N, classes], but \`${shortNameOf(logits)}\` is ${formatShape(logits.shape!)}`,
    span: bound.spans.get("logits")!,
    label: `has ${logits.shape!.length} axes, not 2`,
    related: [{ span: logits.span, message: `gives ${formatShape(logits.shape!)}` }],
    notes: ["end the network with `flatten -> linear(classes)`"],
  });
  return false;
}

function checkClasses({ bound, logits, target }: ScoreUse, { reporter }: Environment): boolean {
  const width = Number(logits.shape![1]);
  if (!target.range || target.range.classes === width) return true;
  const { classes, span } = target.range;
  reporter.report("NET2007", {
    message: `\`${shortNameOf(logits)}\` has ${width} values per image, but \`${target.name}\` has ${classes} classes`,
    span: bound.spans.get("logits")!,
    label: `${width} values, one per class`,
    related: [
      { span, message: `labels go from 0 to ${classes - 1}` },
      { span: logits.span, message: `gives ${formatShape(logits.shape!)}` },
    ],
    fixes: widthFixes(logits, target),
  });
  return false;
}

function widthFixes({ layer, call }: NamedValue, { range }: Target): readonly Fix[] {
  const out = call?.arguments[0];
  if (layer !== "linear" || !out || !range) return [];
  const newText = out.name ? `out=${range.text}` : range.text;
  const title = `make the layer \`linear(${range.text})\``;
  return [{ title, edits: [{ span: out.span, newText }] }];
}

function checkK({ call, bound, logits }: ScoreUse, { reporter }: Environment): boolean {
  const k = (bound.values as { readonly k?: number }).k ?? 1;
  const classes = Number(logits.shape![1]);
  if (k <= classes) return true;
  reporter.report("NET2008", {
    message: `\`${call.callee.name}\` takes the ${k} largest of only ${classes} logits`,
    span: bound.spans.get("k")!,
    label: `at most ${classes}`,
    related: [{ span: logits.span, message: `gives ${formatShape(logits.shape!)}` }],
  });
  return false;
}

function warnOfSoftmax({ bound, logits }: ScoreUse, { reporter }: Environment): void {
  reporter.report("NET2010", {
    message: `\`cross_entropy\` applies softmax itself, but \`${shortNameOf(logits)}\` has gone through \`softmax\` already`,
    span: bound.spans.get("logits")!,
    label: "expected logits, not probabilities",
    related: [{ span: logits.span, message: "probabilities from here on" }],
    notes: ["softmax twice makes the gradients small: the network would learn slowly, if at all"],
    fixes: removeSoftmaxFixes(logits),
  });
}

/** Takes the softmax away and hands its name to the layer before it. */
function removeSoftmaxFixes({ call, alias, previous }: NamedValue): readonly Fix[] {
  if (!call || !alias || !previous || previous.alias) return [];
  const span = { ...call.span, start: previous.span.end };
  return [{ title: "remove `softmax`", edits: [{ span, newText: ` as ${alias.name}` }] }];
}
