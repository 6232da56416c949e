import type { For, Repeat } from "../../grammar/ast.js";
import { type Constant, describeConstant } from "../calls/constant.js";
import { type Environment } from "../calls/environment.js";
import { evaluate } from "../calls/evaluate.js";
import { Scope } from "../calls/scope.js";

/** More turns than this are a mistake. */
const MOST_TURNS = 10_000;

/** How often `repeat` repeats; undefined where a mistake hides it. */
export function readCount({ count }: Repeat, environment: Environment): number | undefined {
  const constant = evaluate(count, environment);
  if (!constant) return undefined;
  if (constant.kind === "integer" && constant.value >= 0 && constant.value <= MOST_TURNS) {
    return constant.value;
  }
  return environment.reporter.report("NET1028", {
    message:
      `\`repeat\` needs an integer from 0 to ${MOST_TURNS}, ` + `not ${describeConstant(constant)}`,
    span: count.span,
  });
}

/**
 * The scopes of a loop's turns, in each of which its names have their values; undefined where a
 * mistake hides them.
 */
export function readTurns(loop: For, environment: Environment): readonly Scope[] | undefined {
  for (const { name, span } of loop.names) environment.names.define("variable", name, span);
  const values = readValues(loop, environment);
  return values?.flatMap((value, turn) => scopeOf(loop, { value, turn }, environment) ?? []);
}

function readValues({ values }: For, environment: Environment): readonly Constant[] | undefined {
  if (values.kind === "range") return readRange(values, environment);
  const constant = evaluate(values, environment);
  if (!constant) return undefined;
  if (constant.kind === "list") return constant.elements;
  return environment.reporter.report("NET1027", {
    message: `\`for\` goes through a list or a range, not ${describeConstant(constant)}`,
    span: values.span,
    notes: ["for instance `for width in [64, 128] { ... }` or `for i in 0..4 { ... }`"],
  });
}

function readRange(
  { from, to, span }: Extract<For["values"], { kind: "range" }>,
  environment: Environment,
): readonly Constant[] | undefined {
  const [first, end] = [evaluate(from, environment), evaluate(to, environment)];
  if (!first || !end) return undefined;
  const isRange = first.kind === "integer" && end.kind === "integer";
  if (isRange && end.value - first.value <= MOST_TURNS) {
    const count = Math.max(0, end.value - first.value);
    return Array.from({ length: count }, (_, i) => ({ kind: "integer", value: first.value + i }));
  }
  const wrong = first.kind === "integer" ? end : first;
  return environment.reporter.report("NET1027", {
    message: isRange
      ? `a loop of ${end.value - first.value} turns is too long; at most ${MOST_TURNS} are allowed`
      : `a range goes from an integer to an integer, not to ${describeConstant(wrong)}`,
    span,
  });
}

function scopeOf(
  { names, isTuple, values }: For,
  { value, turn }: { readonly value: Constant; readonly turn: number },
  environment: Environment,
): Scope | undefined {
  const scope = new Scope(environment.scope);
  const parts = isTuple ? partsOf(value) : [value];
  if (parts?.length !== names.length) {
    const found = parts ? `${parts.length} values` : describeConstant(value);
    return environment.reporter.report("NET1027", {
      message: `the loop takes ${names.length} values at a time, but gets ${found}`,
      span: values.kind === "list" ? values.elements[turn]!.span : values.span,
      label: `expected a tuple of ${names.length}`,
      related: [{ span: names[0]!.span, message: `${names.length} names from here` }],
    });
  }
  for (const [index, { name, span }] of names.entries()) {
    scope.define(name, parts[index], span, "variable");
  }
  return scope;
}

function partsOf(value: Constant): readonly Constant[] | undefined {
  return value.kind === "tuple" || value.kind === "list" ? value.elements : undefined;
}
