import type { Expression, Setting, Span } from "../../../grammar/ast.js";
import type { Graph } from "../../ir/graph.js";
import type { ArgumentType } from "../../calls/signature.js";
import type { Environment } from "../../calls/environment.js";
import { listNames, nearestName } from "../../calls/suggestion.js";

/** A pattern over names of weights: `features.*`, `classifier.fc6`, `*.bias`. */
export interface Pattern {
  readonly text: string;
  readonly segments: readonly string[];
  readonly span: Span;
}

const DESCRIPTION = "a list of names of weights, such as `[features.*]`";

/** A list of patterns as an argument of a call; one by itself is a list of one. */
export function patterns(): ArgumentType<readonly Pattern[]> {
  return {
    description: DESCRIPTION,
    accepts: { kind: "value" },
    write: (given) => `[${given.map(({ text }) => text).join(", ")}]`,
    read: (expression, { subject, reporter }) => patternsOf(expression, subject, { reporter }),
  };
}

/** The patterns of a setting; undefined where it holds something else, which is reported. */
export function readPatterns(
  { name, value }: Setting,
  environment: Environment,
): readonly Pattern[] | undefined {
  return patternsOf(value, `\`${name.name}\``, environment);
}

function patternsOf(
  expression: Expression,
  subject: string,
  { reporter }: Pick<Environment, "reporter">,
): readonly Pattern[] | undefined {
  const elements = expression.kind === "list" ? expression.elements : [expression];
  const found = elements.map(patternOf);
  if (found.every((pattern) => pattern !== undefined)) return found;
  const wrong = elements[found.indexOf(undefined)]!;
  return reporter.report("NET1009", {
    message: `${subject} must be ${DESCRIPTION}`,
    span: wrong.span,
  });
}

/** A pattern alone; undefined for any other expression. */
export function patternOf(expression: Expression): Pattern | undefined {
  const { span } = expression;
  if (expression.kind === "name") {
    return { text: expression.name, segments: [expression.name], span };
  }
  if (expression.kind !== "pattern") return undefined;
  const { segments } = expression;
  return { text: segments.join("."), segments, span };
}

/** The names of a model's weights, without its statistics. */
export function weightNames({ parameters }: Graph): readonly string[] {
  return parameters.filter(({ role }) => role === "weight").map(({ value }) => value.name);
}

/**
 * The names that match one of the patterns, in their own order. A pattern that matches none is
 * reported.
 */
export function namesMatching(
  wanted: readonly Pattern[],
  names: readonly string[],
  environment: Environment,
): readonly string[] {
  const found = new Set<string>();
  for (const pattern of wanted) {
    const matching = names.filter((name) => matches(pattern, name));
    if (matching.length === 0) reportNothing(pattern, names, environment);
    for (const name of matching) found.add(name);
  }
  return names.filter((name) => found.has(name));
}

/**
 * A `*` is one part of a name or several; a pattern that ends early matches everything below.
 * The places that the pattern so far can end at are kept together, so that nothing is tried twice.
 */
export function matches({ segments }: Pick<Pattern, "segments">, name: string): boolean {
  const parts = name.split(".");
  let ends: readonly number[] = [0];
  for (const segment of segments) {
    if (segment === "*") ends = from(ends[0]! + 1, parts.length);
    else ends = ends.flatMap((end) => (parts[end] === segment ? [end + 1] : []));
    if (ends.length === 0) return false;
  }
  return true;
}

const from = (first: number, last: number): readonly number[] =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);

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
    message: `\`${text}\` matches no weights${meant ? `; did you mean \`${meant}\`?` : ""}`,
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
