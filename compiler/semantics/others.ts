import type { Argument, CallExpression, Span } from "../../grammar/ast.js";
import type { Edit } from "../diagnostics/diagnostic.js";
import type { LayerDefinition } from "../layers/layer.js";
import type { Place } from "./place.js";
import type { NamedValue } from "./values.js";

interface ValueFinder {
  findValue(name: string, span: Span, place: Place): NamedValue | undefined;
}

/** A call without the values that it reads by name, and those values; undefined after a report. */
export interface SplitCall {
  readonly rest: CallExpression;
  readonly others: readonly NamedValue[] | undefined;
}

/**
 * Finds the values that a layer reads in addition to the current one: `add(shortcut)`, `concat(a,
 * b)`.
 */
export function splitOthers(
  call: CallExpression,
  definition: LayerDefinition | undefined,
  values: ValueFinder,
  place: Place,
): SplitCall {
  if (!definition?.others) return { rest: call, others: [] };
  const named = call.arguments.findIndex(({ name }) => name !== undefined);
  const positional = named < 0 ? call.arguments : call.arguments.slice(0, named);
  const isOne = definition.others === "one";
  const tooMany = positional.slice(1 + definition.positional.length);
  if (isOne && tooMany.length > 0) return reportSeveral(call, positional, place);
  const taken = isOne ? positional.slice(0, 1) : positional;
  const rest = { ...call, arguments: call.arguments.slice(taken.length) };
  if (taken.length === 0) return { rest, others: reportNone(call, place) };
  const found = taken.map((argument) => findOne(argument, call, values, place));
  const others = found.every((value) => value !== undefined) ? found : undefined;
  return { rest, others };
}

/** `add(a, b)`: each call joins two values. */
function reportSeveral(
  call: CallExpression,
  given: readonly Argument[],
  { environment }: Place,
): SplitCall {
  const { name } = call.callee;
  const [first, ...rest] = given as [Argument, ...Argument[]];
  const fixes = rest.map(({ span }, index): Edit => {
    const start = (index === 0 ? first : rest[index - 1]!).span.end;
    return { span: { ...span, start, end: span.start }, newText: `) -> ${name}(` };
  });
  environment.reporter.report("NET1008", {
    message: `\`${name}\` joins the current value with one other; here are ${given.length}`,
    span: rest[0]!.span,
    label: "one value too many",
    fixes: [{ title: `call \`${name}\` for each value`, edits: fixes }],
  });
  return { rest: { ...call, arguments: [] }, others: undefined };
}

function findOne(
  { value }: Argument,
  { callee }: CallExpression,
  values: ValueFinder,
  place: Place,
): NamedValue | undefined {
  if (value.kind === "name") return values.findValue(value.name, value.span, place);
  if (value.kind === "pattern" && !value.segments.includes("*")) {
    return values.findValue(value.segments.join("."), value.span, place);
  }
  return place.environment.reporter.report("NET1034", {
    message: `\`${callee.name}\` needs the name of a value`,
    span: value.span,
    label: "expected a name",
    notes: ["`as NAME` after a layer names its output"],
  });
}

function reportNone({ callee }: CallExpression, { environment }: Place): undefined {
  return environment.reporter.report("NET1034", {
    message:
      `\`${callee.name}\` needs the value to join with the current one, ` +
      `as in \`${callee.name}(shortcut)\``,
    span: callee.span,
    notes: ["`as NAME` after a layer names its output"],
  });
}
