import { callablesFor } from "../callables.js";
import type { SpecDocument } from "../document.js";
import {
  AS_KEYWORD,
  BRANCH_KEYWORD,
  CHAIN_KEYWORDS,
  ELSE_KEYWORD,
  MODEL_KEYWORDS,
  SKIP_KEYWORD,
  STATEMENT_KEYWORDS,
} from "../../compiler/reference/keywords.js";
import type { CursorContext } from "./context.js";
import { expressions } from "./in-call.js";
import { callableItem, keywordItem, nameItem, type Proposal, wordItem } from "./items.js";
import { headWord, namesInScope, valuesInScope } from "./scope.js";

/** Completions in the body of a model or a block. */
export function proposalsInNetwork(
  context: CursorContext,
  document: SpecDocument,
): readonly Proposal[] {
  const { statement } = context.frames.at(-1)!;
  const last = statement.at(-1);
  if (!last) return statementStarts(context, document);
  switch (last.text) {
    case "->":
      return [...layerItems(document), ...CHAIN_KEYWORDS.map(keywordItem)];
    case "from":
      return valuesInScope(context).map((name) => nameItem(name, document));
    case "as":
      return [];
    case "skip":
      return [wordItem("auto", "a 1x1 convolution where the shapes differ")];
    case "}":
      return afterBlock(context);
    default:
      return withinStatement(context, document);
  }
}

function layerItems(document: SpecDocument): readonly Proposal[] {
  return callablesFor("layer", document).map(callableItem);
}

function statementStarts({ frames }: CursorContext, document: SpecDocument): readonly Proposal[] {
  if (["concat", "split"].includes(headWord(frames.at(-1)!))) return [keywordItem(BRANCH_KEYWORD)];
  const isModel = frames.length === 2 && headWord(frames[1]!) === "model";
  return [
    ...layerItems(document),
    ...[...CHAIN_KEYWORDS, ...STATEMENT_KEYWORDS, ...(isModel ? MODEL_KEYWORDS : [])].map(
      keywordItem,
    ),
  ];
}

/** Behind `}`: the skip of a residual, or a name. */
function afterBlock({ before }: CursorContext): readonly Proposal[] {
  const texts = before.map(({ text }) => text);
  if (belongsToIf(texts)) return [keywordItem(ELSE_KEYWORD)];
  const word = ownerOfLastBlock(texts);
  if (word === "residual") return [keywordItem(SKIP_KEYWORD), keywordItem(AS_KEYWORD)];
  const isNamed = ["concat", "split", ")", "skip"].includes(word ?? "");
  return isNamed ? [keywordItem(AS_KEYWORD)] : [];
}

/** Whether the block that has just been closed is of an `if`, whose condition is before it. */
function belongsToIf(texts: readonly string[]): boolean {
  const start = startOfLastBlock(texts);
  const before = texts.slice(0, start);
  const statement = before.slice(before.findLastIndex((text) => /^[{}]$/.test(text)) + 1);
  return statement.includes("if");
}

/** The word before the block that has just been closed. */
function ownerOfLastBlock(texts: readonly string[]): string | undefined {
  return texts[startOfLastBlock(texts) - 1];
}

/** Where the block that has just been closed begins; 0 if nowhere. */
function startOfLastBlock(texts: readonly string[]): number {
  let depth = 0;
  for (let index = texts.length - 1; index >= 0; index--) {
    if (texts[index] === "}") depth++;
    if (texts[index] === "{" && --depth === 0) return index;
  }
  return 0;
}

/** Within a statement that a keyword started, or behind a layer. */
function withinStatement(context: CursorContext, document: SpecDocument): readonly Proposal[] {
  const { statement } = context.frames.at(-1)!;
  const [first, last] = [statement[0]!.text, statement.at(-1)!];
  switch (first) {
    case "loss":
      return callablesFor("loss", document).map(callableItem);
    case "metric":
      return last.text === "=" ? callablesFor("metric", document).map(callableItem) : [];
    case "input":
      return behindInput(context, document);
    case "target":
      return behindTarget(context, document);
    case "parameter":
      return behindParameter(context, document);
    case "let":
      return formulas(context, document);
    case "repeat":
    case "if":
      return expressions(context, document);
    case "for":
      return last.text === "in" ? expressions(context, document) : [wordItem("in")];
    default:
      return last.kind === "name" || last.text === ")" ? [keywordItem(AS_KEYWORD)] : [];
  }
}

/** `input words: u32[N, 16] in 0..1000`. */
function behindInput(context: CursorContext, document: SpecDocument): readonly Proposal[] {
  const last = context.frames.at(-1)!.statement.at(-1)!.text;
  if (last === ".." || last === "in") return expressions(context, document);
  if (last === "]") return [wordItem("in", "of tokens: how many different ones there are")];
  if (last !== ":") return [];
  return [
    wordItem("f32", "32-bit numbers"),
    wordItem("u32", "tokens: `u32[N, T] in 0..vocabulary`"),
  ];
}

/** `parameter positions: f32[197, 768] init normal(0.02)`. */
function behindParameter(context: CursorContext, document: SpecDocument): readonly Proposal[] {
  const last = context.frames.at(-1)!.statement.at(-1)!.text;
  if (last === ":") return [wordItem("f32", "32-bit numbers")];
  if (last === "]") return [wordItem("init", "initial values")];
  return last === "init" ? callablesFor("argument", document).map(callableItem) : [];
}

/** Values, constants and functions, from `=` on. */
function formulas(context: CursorContext, document: SpecDocument): readonly Proposal[] {
  const { statement } = context.frames.at(-1)!;
  if (!statement.some(({ text }) => text === "=")) return [];
  return [
    ...valuesInScope(context).map((name) => nameItem(name, document)),
    ...namesInScope(context).map((name) => nameItem(name, document)),
    ...callablesFor("formula", document).map(callableItem),
  ];
}

/** `target label: u32[N] in 0..classes`. */
function behindTarget(context: CursorContext, document: SpecDocument): readonly Proposal[] {
  const last = context.frames.at(-1)!.statement.at(-1)!.text;
  if (last === ":") return [wordItem("u32", "classes"), wordItem("f32", "numbers")];
  if (last === "]") return [wordItem("in", "the range of classes")];
  return last === ".." || last === "in" ? expressions(context, document) : [];
}
