import type { CallExpression, ModelDeclaration, ParameterDeclaration } from "../../grammar/ast.js";
import { type ArgumentType } from "../calls/signature.js";
import { boolean, float, integer } from "../calls/argument-types.js";
import { bind } from "../calls/bind.js";
import type { Constant } from "../calls/constant.js";
import type { Environment } from "../calls/environment.js";
import { Scope } from "../calls/scope.js";
import type { ArgumentDeclaration } from "../calls/signature.js";
import { adviseName, listNames } from "../calls/suggestion.js";

/** A model or a block. */
export type Parameterized = Pick<ModelDeclaration, "name" | "parameters">;

/** Values of the parameters of a model or a block, by name. */
export type ModelArguments = Readonly<Record<string, number | boolean>>;

/** Types of parameters. */
export const parameterTypes: ReadonlyMap<string, ArgumentType<number | boolean>> = new Map<
  string,
  ArgumentType<number | boolean>
>([
  ["int", integer()],
  ["float", float()],
  ["bool", boolean()],
]);

/** The type of a name; any number for one that does not exist, which `checkParameters` reports. */
export function parameterType(name: string): ArgumentType<number | boolean> {
  return parameterTypes.get(name) ?? float();
}

/**
 * The values of a model's parameters where no recipe gives any; undefined if one has no default.
 */
export function defaultArguments(
  model: Parameterized,
  environment: Environment,
): ModelArguments | undefined {
  const values = new Map<string, number | boolean>();
  for (const parameter of model.parameters) {
    const value = readDefault(parameter, environment);
    if (value === undefined) return undefined;
    values.set(parameter.name.name, value);
  }
  return Object.fromEntries(values);
}

function readDefault(
  { name, type, defaultValue }: ParameterDeclaration,
  environment: Environment,
): number | boolean | undefined {
  const subject = `the default of \`${name.name}\``;
  return defaultValue && parameterType(type.name).read(defaultValue, { ...environment, subject });
}

/** The types that a parameter may have. */
export const typeNames = [
  {
    name: "int",
    aliases: [
      ...["integer", "i32", "u32"],
      { name: "number", differs: "`int` holds whole numbers, `float` any" },
    ],
  },
  { name: "float", aliases: ["f32", "double", "real"] },
  { name: "bool", aliases: ["boolean"] },
];

/** Checks the types of parameters. */
export function checkParameters(
  { parameters }: { readonly parameters: readonly Pick<ParameterDeclaration, "type">[] },
  { reporter }: Environment,
): void {
  for (const { type } of parameters) {
    if (parameterTypes.has(type.name)) continue;
    const otherwise = [`types of parameters are ${listNames([...parameterTypes.keys()])}`];
    const { question, ...advice } = adviseName(type, { known: typeNames, otherwise });
    reporter.report("NET1019", {
      message: `there is no type \`${type.name}\`${question}`,
      span: type.span,
      ...advice,
    });
  }
}

/**
 * The values that `Model(classes=102)` gives, defaults filled in. Defaults mean what they mean
 * where the model or block is declared.
 */
export function callArguments(
  model: Parameterized,
  call: CallExpression,
  environment: Environment,
  declaredIn: Environment = environment,
): ModelArguments | undefined {
  const declared = model.parameters.map(
    (parameter) => [parameter.name.name, declarationOf(parameter, declaredIn)] as const,
  );
  const signature = {
    name: model.name.name,
    aliases: [],
    positional: declared.map(([name]) => name),
    arguments: Object.fromEntries(declared),
  };
  return bind(call, signature, environment)?.values as ModelArguments | undefined;
}

function declarationOf(
  parameter: ParameterDeclaration,
  environment: Environment,
): ArgumentDeclaration<unknown> {
  return {
    type: parameterType(parameter.type.name),
    meaning: "a parameter without a default",
    isRequired: !parameter.defaultValue,
    defaultValue: readDefault(parameter, environment),
  };
}

/** The scope inside a model: its parameters before the spec's constants. */
export function modelScope(model: Parameterized, values: ModelArguments, outer: Scope): Scope {
  const scope = new Scope(outer);
  for (const { name } of model.parameters) {
    const value = Object.hasOwn(values, name.name) ? values[name.name] : undefined;
    scope.define(name.name, asConstant(value), name.span, "parameter");
  }
  return scope;
}

export function asConstant(value: number | boolean | undefined): Constant | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "boolean") return { kind: "boolean", value };
  return { kind: Number.isInteger(value) ? "integer" : "float", value };
}
