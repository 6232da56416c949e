import type { CallExpression, Expression, Setting } from "../../../grammar/ast.js";
import type { DiagnosticCode } from "../../diagnostics/catalogue/index.js";
import { bind } from "../../calls/bind.js";
import type { Environment } from "../../calls/environment.js";
import type {
  ArgumentDeclarations,
  ArgumentValues,
  Bound,
  Described,
} from "../../calls/signature.js";
import { type AbsentNames, adviseCall, listNames } from "../../calls/suggestion.js";

/**
 * Something a recipe calls (a source, a transform, an optimizer, a schedule) and the plain data
 * that it becomes.
 */
export interface RecipeDefinition<
  Result,
  Declarations extends ArgumentDeclarations = ArgumentDeclarations,
> extends Described<Declarations> {
  /** How a recipe or a `data` declaration writes it. */
  readonly example: string;
  resolve(values: ArgumentValues<NoInfer<Declarations>>): Result;
}

/**
 * `define<Transform>()({ ... })`: the result's type is given, the arguments' types are inferred.
 */
export function define<Result>() {
  return <const Declarations extends ArgumentDeclarations>(
    definition: RecipeDefinition<Result, Declarations>,
  ): RecipeDefinition<Result> => definition;
}

/**
 * The definitions of one kind, with what a message calls them, and the code for an unknown name.
 */
export interface Registry<Result> {
  readonly noun: string;
  /** A call of one, for the message where a setting holds none. */
  readonly example: string;
  readonly unknown: DiagnosticCode;
  readonly definitions: readonly RecipeDefinition<Result>[];
  /** Names that mean something but are not built yet. */
  readonly planned: readonly string[];
  /** Names of the field that netc does not have, and what to do instead. */
  readonly absent?: AbsentNames;
}

export interface Resolved<Result> {
  readonly call: CallExpression;
  readonly result: Result;
  readonly bound: Bound;
}

/**
 * The calls of a setting, each checked and resolved; undefined after reporting. `a(...) -> b(...)`
 * is a sequence of calls.
 */
export function readCalls<Result>(
  { name, value }: Setting,
  registry: Registry<Result>,
  environment: Environment,
): readonly Resolved<Result>[] | undefined {
  const calls = asCalls(value);
  if (!calls) return reportNoCall(name.name, value, registry, environment);
  const resolved = calls.map((call) => resolveCall(call, registry, environment));
  return resolved.every((each) => each !== undefined) ? resolved : undefined;
}

/** The one call of a setting, checked and resolved; undefined after reporting. */
export function readCall<Result>(
  setting: Setting,
  registry: Registry<Result>,
  environment: Environment,
): Resolved<Result> | undefined {
  const { name, value } = setting;
  const [call, ...others] = asCalls(value) ?? [];
  if (!call || others.length > 0) return reportNoCall(name.name, value, registry, environment);
  return resolveCall(call, registry, environment);
}

/** The calls of an expression; a bare name is a call without arguments. */
export function asCalls(expression: Expression): readonly CallExpression[] | undefined {
  if (expression.kind === "sequence") return expression.calls;
  if (expression.kind === "call") return [expression];
  if (expression.kind !== "name") return undefined;
  const { name, span } = expression;
  const callee = { kind: "identifier", name, span } as const;
  return [{ kind: "call", callee, arguments: [], hasParentheses: false, span }];
}

function reportNoCall<Result>(
  setting: string,
  { span }: Expression,
  { noun, example }: Registry<Result>,
  { reporter }: Environment,
): undefined {
  return reporter.report("NET1009", {
    message:
      `\`${setting}\` must be ${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun} such ` +
      `as \`${example}\``,
    span,
  });
}

/** Looks up a call, checks its arguments and resolves it; undefined after reporting. */
export function resolveCall<Result>(
  call: CallExpression,
  registry: Registry<Result>,
  environment: Environment,
): Resolved<Result> | undefined {
  const { name } = call.callee;
  const definition = registry.definitions.find((each) => each.name === name);
  if (!definition) return reportUnknown(call, registry, environment);
  const bound = bind(call, definition, environment);
  return bound && { call, result: definition.resolve(bound.values), bound };
}

function reportUnknown<Result>(
  call: CallExpression,
  { noun, unknown, definitions, planned, absent }: Registry<Result>,
  { reporter }: Environment,
): undefined {
  const { name, span } = call.callee;
  const list = `${noun}s are ${listNames(definitions.map((each) => each.name))}`;
  if (planned.includes(name)) {
    return reporter.report("NET1022", {
      message: `the ${noun} \`${name}\` is not supported yet`,
      span,
      notes: [list],
    });
  }
  const vocabulary = { known: definitions, absent, otherwise: [list] };
  const { question, notes, fixes } = adviseCall(call, vocabulary);
  return reporter.report(unknown, {
    message: `there is no ${noun} \`${name}\`${question}`,
    span,
    notes,
    fixes,
  });
}
