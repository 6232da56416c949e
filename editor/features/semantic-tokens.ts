import {
  SemanticTokensBuilder,
  type SemanticTokens,
  type SemanticTokensLegend,
} from "vscode-languageserver";
import { membersWithin, settingsWithin, type ModelMember, type Span } from "../../grammar/ast.js";
import type { TokenKind } from "../../grammar/index.js";
import type { Occurrence } from "../../compiler/calls/occurrences.js";
import { argumentNamed } from "../../compiler/calls/signature.js";
import { findCallable } from "../callables.js";
import type { SpecDocument } from "../document.js";
import { lastPartSpan } from "../spans.js";

const types = [
  ...["namespace", "class", "function", "parameter", "variable", "enumMember", "property", "type"],
  ...["keyword", "number", "string", "comment", "operator"],
] as const;
const MODIFIERS = ["declaration", "documentation", "readonly", "defaultLibrary"] as const;

type TokenType = (typeof types)[number];
type Modifier = (typeof MODIFIERS)[number];

export const semanticTokensLegend: SemanticTokensLegend = {
  tokenTypes: [...types],
  tokenModifiers: [...MODIFIERS],
};

interface Meaning {
  readonly type: TokenType;
  readonly modifiers?: readonly Modifier[];
}

/**
 * What each token is, for an editor to color: layers, arguments and names by their meaning, the
 * rest by its kind.
 */
export function semanticTokens(document: SpecDocument): SemanticTokens {
  const meanings = meaningsIn(document);
  const builder = new SemanticTokensBuilder();
  for (const { kind, span, text } of document.tokens) {
    const meaning = meanings.get(span.start.offset) ?? BY_KIND[kind];
    if (!meaning || span.start.line !== span.end.line) continue;
    const { line, column } = span.start;
    const type = types.indexOf(meaning.type);
    builder.push(line - 1, column - 1, text.length, type, modifierBits(meaning));
  }
  return builder.build();
}

function modifierBits({ modifiers: own = [] }: Meaning): number {
  return own.reduce((bits, modifier) => bits | (1 << MODIFIERS.indexOf(modifier)), 0);
}

const BY_KIND: Partial<Record<TokenKind, Meaning>> = {
  keyword: { type: "keyword" },
  name: { type: "variable" },
  number: { type: "number" },
  string: { type: "string" },
  boolean: { type: "keyword" },
  operator: { type: "operator" },
  comment: { type: "comment" },
  documentation: { type: "comment", modifiers: ["documentation"] },
};

/** Meanings of names by the offset where they start. */
function meaningsIn(document: SpecDocument): ReadonlyMap<number, Meaning> {
  const meanings = new Map<number, Meaning>();
  const mark = ({ start }: Span, meaning: Meaning) => meanings.set(start.offset, meaning);
  markCalls(document, mark);
  markWords(document, mark);
  for (const occurrence of document.analysis.occurrences) {
    mark(lastPartSpan(occurrence.span, occurrence.name), meaningOf(occurrence));
  }
  return meanings;
}

type Mark = (span: Span, meaning: Meaning) => void;

function markCalls(document: SpecDocument, mark: Mark): void {
  for (const { call, role, isKeyword } of document.calls) {
    const callable = findCallable(call.callee.name, role, document);
    // A name alone in an argument may be a call, a constant or a choice.
    if (!callable && role === "argument") continue;
    const modifiers: readonly Modifier[] = callable?.isBuiltIn ? ["defaultLibrary"] : [];
    if (!isKeyword) mark(call.callee.span, { type: "function", modifiers });
  }
  for (const { call, role } of document.calls) {
    const callable = findCallable(call.callee.name, role, document);
    for (const { name, value } of call.arguments) {
      if (name) mark(name.span, { type: "parameter" });
      const declared = name && callable && argumentNamed(callable, name.name);
      const accepts = declared?.type.accepts;
      if (accepts?.kind === "word" && value.kind === "name")
        mark(value.span, { type: "enumMember" });
    }
  }
}

/** Names of settings, splits, metrics and types. */
function markWords({ spec }: SpecDocument, mark: Mark): void {
  for (const declaration of spec.declarations) {
    if (declaration.kind === "train") {
      for (const { name } of settingsWithin(declaration)) mark(name.span, { type: "property" });
    }
    if (declaration.kind === "data") {
      for (const { name } of declaration.splits) mark(name.span, { type: "property" });
    }
    if (declaration.kind !== "model" && declaration.kind !== "block") continue;
    for (const { type } of declaration.parameters) mark(type.span, { type: "type" });
    for (const member of declaration.members) {
      if (member.kind === "metric") {
        mark(member.name.span, { type: "variable", modifiers: ["declaration"] });
      }
      markType(member, mark);
    }
  }
}

/** The `f32` of inputs, targets and parameters, also within sections and branches. */
function markType(member: ModelMember, mark: Mark): void {
  if (member.kind === "input" || member.kind === "target" || member.kind === "weight") {
    mark(member.type.element.span, { type: "type" });
  }
  for (const inner of membersIn(member)) markType(inner, mark);
}

function membersIn(member: ModelMember): readonly ModelMember[] {
  if (member.kind === "if") return membersWithin(member);
  if ("members" in member) return member.members;
  if (member.kind !== "chain") return [];
  return member.elements.flatMap((element) => {
    if (element.kind === "concat") return element.branches.flatMap(({ members }) => members);
    if (element.kind !== "residual") return [];
    return [...element.members, ...(element.skip.kind === "body" ? element.skip.members : [])];
  });
}

const BY_OCCURRENCE: Readonly<Record<Occurrence["kind"], Meaning>> = {
  constant: { type: "variable", modifiers: ["readonly"] },
  parameter: { type: "parameter" },
  variable: { type: "variable" },
  block: { type: "function" },
  function: { type: "function" },
  model: { type: "class" },
  data: { type: "class" },
  train: { type: "class" },
  share: { type: "function" },
  section: { type: "namespace" },
  value: { type: "variable" },
  input: { type: "variable" },
  target: { type: "variable" },
};

function meaningOf({ kind, span, definition }: Occurrence): Meaning {
  const meaning = BY_OCCURRENCE[kind];
  const isDeclaration =
    span.start.offset === definition.start.offset && span.file === definition.file;
  if (!isDeclaration) return meaning;
  return { ...meaning, modifiers: [...(meaning.modifiers ?? []), "declaration"] };
}
