import type { Argument, CallExpression, Expression, Span } from "../../grammar/ast.js";
import { adviseArgument } from "./advise-argument.js";
import type { Fix } from "../diagnostics/diagnostic.js";
import { insertAt } from "./edits.js";
import type { Environment } from "./environment.js";
import {
  type ArgumentDeclarations,
  argumentNamed,
  type ArgumentValues,
  type Bound,
  type Signature,
  typeFor,
} from "./signature.js";
import { listNames } from "./suggestion.js";

interface Given {
  readonly argument: Argument;
  readonly value: Expression;
}

/**
 * Matches a call's arguments with its signature and reads their values. Reports every argument that
 * is unknown, superfluous, given twice, missing or wrong; undefined if there was one.
 *
 * @param receives what the layer is applied to, where that decides how arguments are written
 */
export function bind<Declarations extends ArgumentDeclarations>(
  call: CallExpression,
  signature: Signature<Declarations>,
  environment: Environment,
  receives: { readonly isOfSignal: boolean } = { isOfSignal: false },
): Bound<Declarations> | undefined {
  // Within here the declarations' types do not matter, only at the end where the values are handed
  // out.
  const general = signature as unknown as Signature;
  const matched = matchArguments(call, general, environment);
  const sibling = (name: string) => matched.given.get(name)?.value;
  const values = new Map<string, unknown>();
  let isComplete = matched.isComplete;
  for (const [name, declaration] of Object.entries(signature.arguments)) {
    const given = matched.given.get(name);
    if (given) {
      const subject = `\`${name}\` of \`${signature.name}\``;
      const value = typeFor(declaration, receives).read(given.value, {
        ...environment,
        subject,
        sibling,
      });
      values.set(name, value);
      isComplete &&= value !== undefined;
    } else if (declaration.isRequired) {
      isComplete = false;
      if (!matched.hasUnknown) reportMissing(call, general, name, environment);
    } else {
      values.set(name, declaration.defaultValue);
    }
  }
  if (!isComplete) return undefined;
  const spans = new Map([...matched.given].map(([name, { argument }]) => [name, argument.span]));
  return { values: Object.fromEntries(values) as ArgumentValues<Declarations>, spans };
}

function matchArguments(call: CallExpression, signature: Signature, environment: Environment) {
  const given = new Map<string, Given>();
  let isComplete = true;
  let hasUnknown = false;
  let position = 0;
  const superfluous: Argument[] = [];
  for (const argument of call.arguments) {
    const name = argument.name ? argument.name.name : signature.positional[position++];
    if (name === undefined) {
      superfluous.push(argument);
    } else if (!argumentNamed(signature, name)) {
      isComplete = false;
      hasUnknown = true;
      reportUnknown(argument, signature, environment);
    } else if (given.has(name)) {
      isComplete = false;
      reportTwice(name, given.get(name)!.argument.span, argument.span, signature, environment);
    } else {
      given.set(name, { argument, value: argument.value });
    }
  }
  if (superfluous.length > 0) reportSuperfluous(call, superfluous, signature, environment);
  isComplete &&= superfluous.length === 0;
  return { given, isComplete, hasUnknown };
}

function reportMissing(
  call: CallExpression,
  signature: Signature,
  name: string,
  { reporter }: Environment,
): void {
  const { meaning, type } = argumentNamed(signature, name)!;
  reporter.report("NET1007", {
    message: `\`${signature.name}\` needs \`${name}\`: ${meaning}`,
    span: call.callee.span,
    label: `\`${name}\` is missing`,
    notes: [`\`${name}\` must be ${type.description}`],
  });
}

function reportSuperfluous(
  call: CallExpression,
  superfluous: readonly Argument[],
  signature: Signature,
  { reporter }: Environment,
): void {
  const count = call.arguments.filter((each) => !each.name).length;
  const [first] = superfluous as [Argument, ...Argument[]];
  const allowed = signature.positional.length;
  const names = allowed ? `: ${listNames(signature.positional)}` : "";
  const named = Object.keys(signature.arguments).filter(
    (name) => !signature.positional.includes(name),
  );
  reporter.report("NET1008", {
    message:
      `\`${signature.name}\` takes ${countOf(allowed, "argument")} without a name${names}; ` +
      `here ${count === 1 ? "is 1" : `are ${count}`}`,
    span: first.span,
    label: "which argument is this?",
    notes: named.length ? [`by name it also takes ${listNames(named)}`] : [],
    fixes: [
      ...listFixes(call, signature),
      ...inferredFixes(call, superfluous, signature),
      ...nameFixes(superfluous, named),
    ],
  });
}

/** PyTorch's `permute(0, 2, 1)` takes the items of a list as arguments. */
function listFixes(call: CallExpression, signature: Signature): readonly Fix[] {
  const [only, ...others] = signature.positional;
  const isList = only && argumentNamed(signature, only)!.type.description.startsWith("a list");
  const [first, last] = [call.arguments[0]!, call.arguments.at(-1)!];
  if (!isList || others.length > 0 || call.arguments.some(({ name }) => name)) return [];
  const end = { ...last.span, start: last.span.end };
  const edits = [insertAt(first.span, "["), insertAt(end, "]")];
  return [{ title: `write \`${only}\` as a list`, edits }];
}

/** Elsewhere the number of input channels comes first; here it is inferred. */
function inferredFixes(
  { arguments: [first, second] }: CallExpression,
  superfluous: readonly Argument[],
  signature: Signature,
): readonly Fix[] {
  if (!argumentNamed(signature, "in") || superfluous.length !== 1 || !first || !second) return [];
  const span = { ...first.span, end: second.span.start };
  return [
    {
      title: "drop the first argument: the input's size is inferred",
      edits: [{ span, newText: "" }],
    },
  ];
}

/** Proposes the next names in the order of the declaration, which is PyTorch's. */
function nameFixes(superfluous: readonly Argument[], names: readonly string[]): readonly Fix[] {
  if (superfluous.length > names.length) return [];
  const edits = superfluous.map(({ span }, index) => insertAt(span, `${names[index]}=`));
  const named = superfluous.map((_, index) => names[index]!);
  return [{ title: `name what you mean, for instance ${listNames(named)}`, edits }];
}

function reportUnknown(argument: Argument, signature: Signature, { reporter }: Environment): void {
  const { name, span } = argument.name!;
  const { question, notes, fixes } = adviseArgument(argument, signature);
  reporter.report("NET1002", {
    message: `\`${signature.name}\` has no argument \`${name}\`${question}`,
    span,
    notes,
    fixes,
  });
}

function reportTwice(
  name: string,
  first: Span,
  second: Span,
  signature: Signature,
  { reporter }: Environment,
): void {
  reporter.report("NET1006", {
    message: `\`${name}\` of \`${signature.name}\` is given twice`,
    span: second,
    label: "given again",
    related: [{ span: first, message: "given here first" }],
  });
}

export function countOf(count: number, noun: string): string {
  if (count === 0) return `no ${noun}s`;
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}
