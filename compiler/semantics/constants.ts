import type { ConstDeclaration, Identifier } from "../../grammar/ast.js";
import type { Constant } from "../calls/constant.js";
import { type Environment } from "../calls/environment.js";
import { evaluate } from "../calls/evaluate.js";
import { reportTwice } from "./duplicates.js";

/** Evaluates the spec's constants, from top to bottom, into the environment's scope. */
export function defineConstants(
  constants: readonly ConstDeclaration[],
  environment: Environment,
): void {
  const { scope, reporter, names } = environment;
  for (const { name } of constants) {
    scope.announce(name.name, name.span);
    names.define("constant", name.name, name.span);
  }
  for (const { name, value } of constants) {
    const first = scope.own(name.name);
    if (first)
      reportTwice(name.name, "constant", { first: first.span, second: name.span }, reporter);
    else define(name, evaluate(value, environment), environment);
  }
}

function define(
  { name, span }: Identifier,
  value: Constant | undefined,
  { scope, names }: Environment,
): void {
  scope.define(name, value, span);
  names.take(span, value);
}

export function warnOfUnused({ scope, reporter }: Environment): void {
  for (const { name, span } of scope.unused) {
    reporter.report("NET1015", { message: `constant \`${name}\` is never used`, span });
  }
}
