import type { Expression, Setting, Span } from "../../../grammar/ast.js";
import type { Graph } from "../../ir/graph.js";
import type { AnalyzedModel } from "../analysis.js";
import type { Environment } from "../evaluate.js";
import { listNames, nearestName } from "../suggestion.js";

/** A pattern over names of weights: `features.*`, `classifier.fc6`, `*.bias`. */
interface Pattern {
  readonly text: string;
  readonly segments: readonly string[];
  readonly span: Span;
}

/** The names of the weights that `freeze = [...]` keeps as they are; none where it is left out. */
export function readFreeze(
  setting: Setting | undefined,
  { graph }: AnalyzedModel,
  environment: Environment,
): readonly string[] {
  if (!setting) return [];
  const patterns = readPatterns(setting, environment);
  if (!graph) return [];
  const names = weightNames(graph);
  const frozen = new Set<string>();
  for (const pattern of patterns) {
    const matching = names.filter((name) => matches(pattern.segments, name.split(".")));
    if (matching.length === 0) reportNothing(pattern, names, environment);
    for (const name of matching) frozen.add(name);
  }
  if (frozen.size === names.length && names.length > 0) reportAll(setting, environment);
  return [...frozen];
}

function weightNames({ parameters }: Graph): readonly string[] {
  return parameters.filter(({ role }) => role === "weight").map(({ value }) => value.name);
}

function readPatterns({ value }: Setting, environment: Environment): readonly Pattern[] {
  const elements = value.kind === "list" ? value.elements : [value];
  return elements.flatMap((element) => readPattern(element, environment));
}

function readPattern(expression: Expression, { reporter }: Environment): readonly Pattern[] {
  const { span } = expression;
  if (expression.kind === "name") {
    return [{ text: expression.name, segments: [expression.name], span }];
  }
  if (expression.kind === "pattern") {
    const { segments } = expression;
    return [{ text: segments.join("."), segments, span }];
  }
  reporter.report("NET1009", {
    message: "`freeze` must be a list of names of weights, such as `[features.*]`",
    span,
  });
  return [];
}

/** A `*` is one part of a name; at the end, and behind a name that stops early, it is all that follows. */
function matches(pattern: readonly string[], name: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined || (first === "*" && rest.length === 0)) return true;
  if (name.length === 0) return false;
  return (first === "*" || first === name[0]) && matches(rest, name.slice(1));
}

function reportNothing(
  { text, segments, span }: Pattern,
  names: readonly string[],
  { reporter }: Environment,
): void {
  const beginnings = [...new Set(names.flatMap(beginningsOf))];
  const written = segments.filter((segment) => segment !== "*").join(".");
  const nearest = nearestName(written, beginnings);
  const meant = nearest && `${nearest}${text.endsWith(".*") ? ".*" : ""}`;
  const outermost = [...new Set(names.map((name) => name.split(".")[0]!))];
  reporter.report("NET3022", {
    message: `\`${text}\` is the name of no weights${meant ? `; did you mean \`${meant}\`?` : ""}`,
    span,
    notes: [`weights begin with ${listNames(outermost)}`],
    fixes: meant ? [{ title: `write \`${meant}\``, edits: [{ span, newText: meant }] }] : [],
  });
}

/** `a.b.weight` begins with `a` and with `a.b`. */
function beginningsOf(name: string): readonly string[] {
  const parts = name.split(".");
  return parts.map((_, index) => parts.slice(0, index + 1).join("."));
}

function reportAll({ value }: Setting, { reporter }: Environment): void {
  reporter.report("NET3023", {
    message: "`freeze` keeps every weight of the model as it is: nothing is left to train",
    span: value.span,
  });
}
