import type { ClassifiedToken } from "../../grammar/index.js";
import type { Accepted } from "../../compiler/calls/signature.js";
import { parameterTypes } from "../../compiler/semantics/parameters.js";
import { argumentNamed } from "../../compiler/calls/signature.js";
import { type Callable, callablesFor, findCallable } from "../callables.js";
import { type CallRole, settingRole } from "../calls.js";
import type { SpecDocument } from "../document.js";
import type { CursorContext, Frame } from "./context.js";
import { argumentItem, callableItem, nameItem, type Proposal, wordItem } from "./items.js";
import { headWord, inputsInScope, namesInScope, targetsInScope, valuesInScope } from "./scope.js";

/** Completions within parentheses and square brackets; undefined where the cursor is in none. */
export function proposalsInCall(
  context: CursorContext,
  document: SpecDocument,
): readonly Proposal[] | undefined {
  const top = context.frames.at(-1)!;
  if (top.opener === "[") return proposalsInList(context, document);
  if (top.opener !== "(") return undefined;
  const block = blockOf(context.frames);
  const [first] = block.statement;
  const isHeader = block.opener === "" && ["model", "block"].includes(first?.text ?? "");
  if (isHeader) return proposalsInParameters(top, context, document);
  const call = callAt(context, document);
  return call ? proposalsForArgument(call, context, document) : expressions(context, document);
}

/** The innermost block, whose statement the open brackets are in. */
function blockOf(frames: CursorContext["frames"]): Frame {
  return frames.findLast(({ opener }) => opener === "{" || opener === "")!;
}

/** `classes: int = 1000` in a header. */
function proposalsInParameters(
  { statement }: Frame,
  context: CursorContext,
  document: SpecDocument,
): readonly Proposal[] {
  const last = statement.at(-1)?.text;
  if (last === ":") return [...parameterTypes.keys()].map((name) => wordItem(name, "type"));
  return last === "=" ? expressions(context, document) : [];
}

/** Sizes, or the elements of what an argument takes. */
function proposalsInList(context: CursorContext, document: SpecDocument): readonly Proposal[] {
  const { statement } = blockOf(context.frames);
  const isType = ["input", "target"].includes(statement[0]?.text ?? "");
  const isBatch = isType && context.frames.at(-1)!.statement.length === 0;
  if (isBatch) return [wordItem("N", "the batch, whose size is chosen when training starts")];
  return expressions(context, document);
}

/** Whatever has a value when compiling. */
export function expressions(context: CursorContext, document: SpecDocument): readonly Proposal[] {
  const names = namesInScope(context).map((name) => nameItem(name, document));
  return [...names, ...callablesFor("function", document).map(callableItem)];
}

// Arguments

interface CallAtCursor {
  readonly callable: Callable;
  readonly role: CallRole;
  /** The text between its parenthesis and the cursor. */
  readonly tokens: readonly ClassifiedToken[];
}

/** The call whose parenthesis is the innermost. */
function callAt({ frames }: CursorContext, document: SpecDocument): CallAtCursor | undefined {
  const calls = frames.filter(({ callee }) => callee);
  const { callee, statement } = frames.at(-1)!;
  if (!callee) return undefined;
  const role = calls.length > 1 ? "argument" : roleOfStatement(frames);
  const callable = findCallable(callee.text, role, document);
  return callable && { callable, role, tokens: statement };
}

/** What a call is of, by the statement that it is in. */
export function roleOfStatement(frames: CursorContext["frames"]): CallRole {
  const declaration = frames[1] ? headWord(frames[1]) : "";
  const { statement, opener, header } = blockOf(frames);
  const first = statement[0]?.text ?? "";
  if (opener === "") return first === "train" ? "model" : "function";
  if (declaration === "train") return settingRole(first);
  if (declaration === "data") return header[0]?.text === "data" ? "source" : "transform";
  const isExpression = ["repeat", "for", "if", "input", "target"].includes(first);
  if (isExpression) return "function";
  return first === "loss" || first === "metric" ? first : "layer";
}

function proposalsForArgument(
  call: CallAtCursor,
  context: CursorContext,
  document: SpecDocument,
): readonly Proposal[] {
  const given = splitArguments(call.tokens);
  const current = given.at(-1)!;
  const { arguments: declared, positional } = call.callable;
  const name = current[1]?.text === "=" ? current[0]!.text : undefined;
  if (name !== undefined)
    return valuesFor(argumentNamed(call.callable, name), current.slice(2), context, document);
  if (current.length > 0) return afterNumber(current) ?? expressions(context, document);
  const taken = given.map(([first, second]) => (second?.text === "=" ? first!.text : ""));
  const position = given.length - 1;
  const isNamed = taken.slice(0, position).some((each) => each !== "");
  const next = isNamed ? undefined : positional[position];
  const values =
    next === undefined ? [] : valuesFor(argumentNamed(call.callable, next), [], context, document);
  const free = Object.entries(declared).filter(
    ([each]) => !taken.includes(each) && !positional.slice(0, position).includes(each),
  );
  const names = free.map(([each, declaration]) => argumentItem(each, declaration));
  // A value is wanted by its name alone; a number is rather written out.
  const isValue =
    next !== undefined && argumentNamed(call.callable, next)?.type.accepts.kind === "value";
  return isValue ? [...values, ...names] : [...names, ...values];
}

/** The tokens of each argument; brackets within count as part of theirs. */
function splitArguments(tokens: readonly ClassifiedToken[]): readonly ClassifiedToken[][] {
  const parts: ClassifiedToken[][] = [[]];
  for (const token of tokens) {
    if (token.text === ",") parts.push([]);
    else parts.at(-1)!.push(token);
  }
  return parts;
}

function valuesFor(
  declaration: Callable["arguments"][string] | undefined,
  written: readonly ClassifiedToken[],
  context: CursorContext,
  document: SpecDocument,
): readonly Proposal[] {
  const accepts = declaration?.type.accepts ?? { kind: "number" };
  if (written.length > 0) return afterNumber(written) ?? expressions(context, document);
  return valuesOf(accepts, context, document);
}

function valuesOf(
  accepts: Accepted,
  context: CursorContext,
  document: SpecDocument,
): readonly Proposal[] {
  switch (accepts.kind) {
    case "word":
      return accepts.words.map((word) => wordItem(word));
    case "call":
      return callablesFor("argument", document)
        .filter(({ name }) => accepts.signatures.some((signature) => signature.name === name))
        .map(callableItem);
    case "value":
      return valueNames(context, document);
    case "string":
    case "duration":
      return [];
    case "number":
      return expressions(context, document);
  }
}

function valueNames(context: CursorContext, document: SpecDocument): readonly Proposal[] {
  const isScore = ["loss", "metric"].includes(blockOf(context.frames).statement[0]?.text ?? "");
  const isSecond = context.frames.at(-1)!.statement.some(({ text }) => text === ",");
  const values = valuesInScope(context);
  const targets = [...targetsInScope(context), ...inputsInScope(context)];
  const names = !isScore ? values : isSecond ? [...targets, ...values] : [...values, ...targets];
  return names.map((name) => nameItem(name, document));
}

/** `5 epochs`. */
function afterNumber(written: readonly ClassifiedToken[]): readonly Proposal[] | undefined {
  if (written.at(-1)?.kind !== "number") return undefined;
  return ["epochs", "steps"].map((unit) => wordItem(unit, "unit"));
}
