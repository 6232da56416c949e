/** Functions that a spec declares: `fn swish(x, beta: float = 1) = x * sigmoid(beta * x)`. */
import type { FunctionDeclaration, FunctionParameter } from "../../grammar/ast.js";
import type { ArgumentDeclaration, ArgumentType, Signature } from "../calls/signature.js";
import { insertAfter } from "../calls/edits.js";
import type { Environment } from "../calls/environment.js";
import { Scope } from "../calls/scope.js";
import type { Expression } from "../ir/expression.js";
import type { DeclaredFunction } from "./modules.js";
import { asConstant, checkParameters, parameterType } from "./parameters.js";

/** Checks the declaration of a function; its formula is read where it is used. */
export function checkFunction(declaration: FunctionDeclaration, environment: Environment): void {
  const { name, parameters } = declaration;
  const typed = parameters.flatMap((each) => (each.type ? [{ ...each, type: each.type }] : []));
  checkParameters({ parameters: typed }, environment);
  for (const parameter of parameters) checkParameter(parameter, environment);
  if (parameters.some(({ type }) => !type)) return;
  environment.reporter.report("NET1041", {
    message: `\`${name.name}\` takes no value: it would be a constant`,
    span: name.span,
    notes: ["a parameter without a type takes a value: `fn double(x) = 2 * x`"],
  });
}

function checkParameter(
  { name, type, defaultValue }: FunctionParameter,
  { reporter }: Environment,
): void {
  if (type || !defaultValue) return;
  reporter.report("NET1041", {
    message: `\`${name.name}\` takes a value, which has no default`,
    span: name.span,
    notes: [`a parameter for a number has a type: \`${name.name}: float = 1\``],
    fixes: [{ title: "write `: float`", edits: [insertAfter(name.span, ": float")] }],
  });
}

/**
 * What a call of the function may give. Defaults mean what they mean where it is declared.
 *
 * @param value how an argument that takes a value is read
 */
export function signatureOf(
  { declaration, module }: DeclaredFunction,
  value: ArgumentType<Expression>,
): Signature {
  const { environment } = module;
  const declared = declaration.parameters.map(
    (parameter) => [parameter.name.name, declarationOf(parameter, value, environment)] as const,
  );
  return {
    name: declaration.name.name,
    aliases: [],
    positional: declared.map(([name]) => name),
    arguments: Object.fromEntries(declared),
  };
}

function declarationOf(
  { name, type, defaultValue }: FunctionParameter,
  value: ArgumentType<Expression>,
  environment: Environment,
): ArgumentDeclaration<unknown> {
  if (!type) return { type: value, meaning: "a value or a number", isRequired: true };
  const number = parameterType(type.name);
  const subject = `the default of \`${name.name}\``;
  return {
    type: number,
    meaning: "a parameter without a default",
    isRequired: !defaultValue,
    defaultValue: defaultValue && number.read(defaultValue, { ...environment, subject }),
  };
}

/** The scope of the function's formula: its constant parameters before the file's constants. */
export function functionScope(
  { declaration, module }: DeclaredFunction,
  valueOf: (name: string) => unknown,
): Scope {
  const scope = new Scope(module.environment.scope);
  for (const { name, type } of declaration.parameters) {
    if (!type) continue;
    const value = valueOf(name.name) as number | boolean | undefined;
    scope.define(name.name, asConstant(value), name.span, "parameter");
  }
  return scope;
}
