/** `left=["a", "b"]`: the columns of a table that hold an input or a target, by its name. */
import type { Argument, CallExpression, Span } from "../../../grammar/ast.js";
import { isList, string, strings } from "../../calls/argument-types.js";
import type { Environment } from "../../calls/environment.js";
import type { AnalyzedModel } from "../analysis.js";
import { sources } from "./sources.js";

/** As written in a `csv`. */
export interface WrittenColumns {
  readonly names: readonly string[];
  readonly span: Span;
}

/** A source without the arguments that name inputs and targets, and these. */
export interface SplitCall {
  readonly call: CallExpression;
  readonly columns: ReadonlyMap<string, WrittenColumns>;
}

/** All but noise, which the device draws. */
export const givenInputs = ({ inputs }: Pick<AnalyzedModel, "inputs">) =>
  inputs.filter(({ distribution }) => distribution === undefined);

/**
 * Takes columns out of a source's arguments; before a model is known, all arguments that `csv` does
 * not have. Undefined after a report.
 */
export function takeColumns(
  call: CallExpression,
  model: AnalyzedModel | undefined,
  environment: Environment,
): SplitCall | undefined {
  const columns = new Map<string, WrittenColumns>();
  if (call.callee.name !== "csv") return { call, columns };
  const names = portNames(model);
  const isColumns = ({ name }: Argument) => {
    if (!name || DECLARED.includes(name.name)) return false;
    return names === undefined || names.includes(name.name);
  };
  let isValid = true;
  for (const argument of call.arguments.filter(isColumns)) {
    const { name } = argument.name!;
    const before = columns.get(name);
    if (before) reportTwice(name, before.span, argument.span, environment);
    const read = readNames(argument, environment);
    if (before || !read) isValid = false;
    else columns.set(name, { names: read, span: argument.span });
  }
  const others = call.arguments.filter((argument) => !isColumns(argument));
  return isValid ? { call: { ...call, arguments: others }, columns } : undefined;
}

const DECLARED = Object.keys(sources.definitions.find(({ name }) => name === "csv")!.arguments);

/** Undefined where they are not known, also for mistakes in the model. */
const portNames = (model: AnalyzedModel | undefined) =>
  model?.network && [...givenInputs(model), ...model.network.targets].map(({ name }) => name);

function readNames(
  { name, value }: Argument,
  environment: Environment,
): readonly string[] | undefined {
  const reader = { ...environment, subject: `\`${name!.name}\` of \`csv\`` };
  if (isList(value, environment)) return strings().read(value, reader);
  const one = string().read(value, reader);
  return one === undefined ? undefined : [one];
}

function reportTwice(
  name: string,
  first: Span,
  second: Span,
  { reporter }: Pick<Environment, "reporter">,
): void {
  reporter.report("NET1006", {
    message: `\`${name}\` of \`csv\` is given twice`,
    span: second,
    label: "given again",
    related: [{ span: first, message: "given here first" }],
  });
}
