import type { CallExpression } from "../../../grammar/ast.js";
import type { DiagnosticCode } from "../../diagnostics/catalogue/index.js";
import { bind } from "../bind.js";
import type { Environment } from "../evaluate.js";
import type { ArgumentDeclarations, ArgumentValues, Bound, Described } from "../signature.js";
import { didYouMean, listNames, renameFixes } from "../suggestion.js";

/** Something a recipe calls (a source, a transform, an optimizer, a schedule) and the plain data that it becomes. */
export interface RecipeDefinition<
  Result,
  Declarations extends ArgumentDeclarations = ArgumentDeclarations,
> extends Described<Declarations> {
  resolve(values: ArgumentValues<NoInfer<Declarations>>): Result;
}

/** `define<Transform>()({ ... })`: the result's type is given, the arguments' types are inferred. */
export function define<Result>() {
  return <const Declarations extends ArgumentDeclarations>(
    definition: RecipeDefinition<Result, Declarations>,
  ): RecipeDefinition<Result> => definition;
}

/** The definitions of one kind, with what a message calls them, and the code for an unknown name. */
export interface Registry<Result> {
  readonly noun: string;
  readonly unknown: DiagnosticCode;
  readonly definitions: readonly RecipeDefinition<Result>[];
  /** Names that mean something but are not built yet. */
  readonly planned: readonly string[];
}

export interface Resolved<Result> {
  readonly result: Result;
  readonly bound: Bound;
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
  return bound && { result: definition.resolve(bound.values), bound };
}

function reportUnknown<Result>(
  { callee: { name, span } }: CallExpression,
  { noun, unknown, definitions, planned }: Registry<Result>,
  { reporter }: Environment,
): undefined {
  const known = listNames(definitions.map((each) => each.name));
  if (planned.includes(name)) {
    return reporter.report("NET1022", {
      message: `the ${noun} \`${name}\` is not supported yet`,
      span,
      notes: [`${noun}s are ${known}`],
    });
  }
  return reporter.report(unknown, {
    message: `there is no ${noun} \`${name}\`${didYouMean(name, definitions)}`,
    span,
    notes: [`${noun}s are ${known}`],
    fixes: renameFixes(span, name, definitions),
  });
}
