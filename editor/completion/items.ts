import { type CompletionItem, CompletionItemKind, InsertTextFormat } from "vscode-languageserver";
import type { ArgumentDeclaration } from "../../compiler/calls/signature.js";
import type { Callable } from "../callables.js";
import type { SpecDocument } from "../document.js";
import type { Keyword } from "../../compiler/reference/keywords.js";
import { documentArgument, signatureText } from "../../compiler/reference/describe.js";
import { documentCallable, documentFacts } from "../markdown.js";
import type { ScopeName } from "./scope.js";

/** A completion without its place in the text. What comes first in a list is shown first. */
export type Proposal = Omit<CompletionItem, "textEdit" | "sortText"> & {
  /** What is written, if not the label: a snippet. */
  readonly snippet?: string;
};

function markdown(value: string) {
  return { kind: "markdown" as const, value };
}

export function keywordItem({ word, summary, snippet }: Keyword): Proposal {
  return { label: word, kind: CompletionItemKind.Keyword, detail: summary, snippet };
}

export function callableItem(callable: Callable): Proposal {
  return {
    label: callable.name,
    kind: CompletionItemKind.Function,
    detail: callable.summary || signatureText(callable),
    documentation: markdown(documentCallable(callable)),
    snippet: callSnippet(callable),
  };
}

/** The call with what it cannot do without: `conv(${1:out}, kernel=${2:kernel})`. */
function callSnippet({ name, arguments: declared }: Callable): string {
  const required = Object.entries(declared).filter(([, { isRequired }]) => isRequired);
  if (required.length === 0) return name;
  const parts = required.map(([key], index) => {
    const place = `\${${index + 1}:${key}}`;
    return index === 0 && isFirst(key, declared) ? place : `${key}=${place}`;
  });
  return `${name}(${parts.join(", ")})`;
}

function isFirst(name: string, declared: Callable["arguments"]): boolean {
  return Object.keys(declared)[0] === name;
}

export function argumentItem(name: string, declaration: ArgumentDeclaration<unknown>): Proposal {
  return {
    label: `${name}=`,
    kind: CompletionItemKind.Property,
    detail: declaration.type.description,
    documentation: markdown(documentArgument(name, declaration)),
  };
}

export function wordItem(word: string, detail?: string): Proposal {
  return { label: word, kind: CompletionItemKind.EnumMember, detail: detail || undefined };
}

export function nameItem({ name, kind, token }: ScopeName, document: SpecDocument): Proposal {
  const facts = kind === "value" ? document.facts.ofAlias(name, token.span) : [];
  return {
    label: name,
    kind: kind === "constant" ? CompletionItemKind.Constant : CompletionItemKind.Variable,
    detail: [kind, valueOf(name, document)].filter(Boolean).join(" "),
    documentation: facts.length > 0 ? markdown(documentFacts(facts)) : undefined,
  };
}

/** `= [0.1, 0.2]`, where it is known. */
function valueOf(name: string, { analysis }: SpecDocument): string {
  const found = analysis.occurrences.find((each) => each.name === name && each.values.length > 0);
  return found ? `= ${found.values.join(", ")}` : "";
}

/** Completions in their order, each of which replaces the word at the cursor. */
export function placeItems(
  proposals: readonly Proposal[],
  range: { readonly start: number; readonly end: number },
  { source, text }: SpecDocument,
  { hasSnippets }: { readonly hasSnippets: boolean },
): CompletionItem[] {
  const place = { start: source.positionAt(range.start), end: source.positionAt(range.end) };
  // `co|(3)`: the arguments are there.
  const isCalled = text[range.end] === "(";
  return proposals.map(({ snippet, ...item }, index) => {
    const isSnippet = snippet !== undefined && hasSnippets && !isCalled;
    return {
      ...item,
      sortText: String(index).padStart(4, "0"),
      insertTextFormat: isSnippet ? InsertTextFormat.Snippet : InsertTextFormat.PlainText,
      textEdit: { range: place, newText: isSnippet ? snippet : item.label },
    };
  });
}
