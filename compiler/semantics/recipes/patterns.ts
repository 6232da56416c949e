import type { CallExpression, Expression, Setting, Span } from "../../../grammar/ast.js";
import type { ResolvedNetwork } from "../../network/resolved.js";
import type { ArgumentType } from "../../calls/signature.js";
import type { Environment } from "../../calls/environment.js";
import { listNames, nearestName } from "../../calls/suggestion.js";
import type { AnalyzedModel } from "../analysis.js";

/** A pattern over names of weights: `features.*`, `classifier.fc6`, `*.bias`. */
export interface NamePattern {
  readonly text: string;
  readonly segments: readonly string[];
  readonly span: Span;
}

/** All weights of a kind of layer: `kind(batchnorm)`. */
interface KindPattern {
  readonly text: string;
  readonly layer: string;
  readonly span: Span;
}

export type Pattern = NamePattern | KindPattern;

/** Weights that patterns choose among. */
export interface WeightNames {
  readonly names: readonly string[];
  /** The layer that each name's weight is of: `batchnorm`. Names without one are left out. */
  readonly layers: ReadonlyMap<string, string>;
  /** What messages call them: `weights` if absent. */
  readonly noun?: string;
}

const DESCRIPTION = "a list of names of weights, such as `[features.*]`, or `[kind(batchnorm)]`";

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
export const patternOf = (expression: Expression): Pattern | undefined =>
  expression.kind === "call" ? kindOf(expression) : namePatternOf(expression);

function kindOf({ callee, arguments: given, span }: CallExpression): KindPattern | undefined {
  const [layer, ...others] = given;
  if (callee.name !== "kind" || others.length > 0 || layer?.name) return undefined;
  if (layer?.value.kind !== "name") return undefined;
  const { name } = layer.value;
  return { text: `kind(${name})`, layer: name, span };
}

/** A pattern of names; undefined for any other expression. */
export function namePatternOf(expression: Expression): NamePattern | undefined {
  const { span } = expression;
  if (expression.kind === "name") {
    return { text: expression.name, segments: [expression.name], span };
  }
  if (expression.kind !== "pattern") return undefined;
  const { segments } = expression;
  return { text: segments.join("."), segments, span };
}

/** A model's weights, without its statistics. */
export function weightsOf({ graph, network }: AnalyzedModel): WeightNames {
  const parameters = graph?.parameters.filter(({ role }) => role === "weight") ?? [];
  return namesIn(
    parameters.map(({ value }) => value.name),
    network,
  );
}

/** Names of weights, and the layers of the network that they are of. */
export function namesIn(
  names: readonly string[],
  network: Pick<ResolvedNetwork, "layers"> | undefined,
): WeightNames {
  const owners = new Map(
    network?.layers.map(({ weights, definition }) => [weights, definition.name]),
  );
  const layers = new Map<string, string>();
  for (const name of names) {
    const owner = beginningsOf(name).findLast((beginning) => owners.has(beginning));
    if (owner !== undefined) layers.set(name, owners.get(owner)!);
  }
  return { names, layers };
}

/**
 * The names that match one of the patterns, in their own order. A pattern that matches none is
 * reported.
 */
export function namesMatching(
  wanted: readonly Pattern[],
  weights: WeightNames,
  environment: Environment,
): readonly string[] {
  const found = new Set<string>();
  for (const pattern of wanted) {
    const matching = weights.names.filter((name) => matches(pattern, name, weights));
    if (matching.length === 0) reportNothing(pattern, weights, environment);
    for (const name of matching) found.add(name);
  }
  return weights.names.filter((name) => found.has(name));
}

/** Whether a pattern means the weight of a name. */
export const matches = (
  pattern: Pattern,
  name: string,
  { layers }: Pick<WeightNames, "layers">,
): boolean =>
  "layer" in pattern ? layers.get(name) === pattern.layer : matchesName(pattern, name);

/**
 * A `*` is one part of a name or several; a pattern that ends early matches everything below.
 * The places that the pattern so far can end at are kept together, so that nothing is tried twice.
 */
export function matchesName({ segments }: Pick<NamePattern, "segments">, name: string): boolean {
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

function reportNothing(pattern: Pattern, weights: WeightNames, { reporter }: Environment): void {
  const { text, span } = pattern;
  const { noun = "weights" } = weights;
  const { meant, note } =
    "layer" in pattern ? otherKinds(pattern, weights) : otherNames(pattern, weights);
  reporter.report("NET3022", {
    message: `\`${text}\` matches no ${noun}${meant ? `; did you mean \`${meant}\`?` : ""}`,
    span,
    notes: [note],
    fixes: meant ? [{ title: `write \`${meant}\``, edits: [{ span, newText: meant }] }] : [],
  });
}

interface Otherwise {
  /** The nearest pattern that matches something. */
  readonly meant: string | undefined;
  readonly note: string;
}

/** A kind of layer, or the last part of names, as a pattern that matches it. */
function otherForm(written: string, { names, layers }: WeightNames): Otherwise | undefined {
  if ([...layers.values()].includes(written)) {
    const meant = `kind(${written})`;
    return { meant, note: "a kind of layer is not a name" };
  }
  const ending = names.filter((name) => name.endsWith(`.${written}`));
  if (ending.length < 2) return undefined;
  return { meant: `*.${written}`, note: "a name begins with its sections; `*` is any of them" };
}

function otherNames({ text, segments }: NamePattern, weights: WeightNames): Otherwise {
  const { names, noun = "weights" } = weights;
  const beginnings = [...new Set(names.flatMap(beginningsOf))];
  const written = segments.filter((segment) => segment !== "*").join(".");
  // A name without its sections: `logits` for `classifier.logits`.
  const ending = beginnings.filter((beginning) => beginning.endsWith(`.${written}`));
  const nearest = ending.length === 1 ? ending[0] : nearestName(written, beginnings);
  const outermost = [...new Set(names.map((name) => name.split(".")[0]!))];
  const plain = otherForm(written, weights);
  if (plain) return plain;
  return {
    meant: nearest && `${nearest}${text.endsWith(".*") ? ".*" : ""}`,
    note: `${noun} begin with ${listNames(outermost)}`,
  };
}

function otherKinds({ layer }: KindPattern, { layers, noun = "weights" }: WeightNames): Otherwise {
  const known = [...new Set(layers.values())];
  const nearest = nearestName(layer, known);
  return {
    meant: nearest && `kind(${nearest})`,
    note: `the model's layers with ${noun} are ${listNames(known)}`,
  };
}

/** `a.b.weight` begins with `a` and with `a.b`. */
function beginningsOf(name: string): readonly string[] {
  const parts = name.split(".");
  return parts.map((_, index) => parts.slice(0, index + 1).join("."));
}
