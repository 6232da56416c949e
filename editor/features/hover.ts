import type { Hover } from "vscode-languageserver";
import { settingsWithin, type Declaration, type Span } from "../../grammar/ast.js";
import { catalogue, isDiagnosticCode } from "../../compiler/diagnostics/catalogue/index.js";
import { lspRange } from "../../compiler/diagnostics/render-lsp.js";
import type { Occurrence } from "../../compiler/calls/occurrences.js";
import { stepSettings, trainSettings } from "../../compiler/semantics/recipes/settings.js";
import { argumentAt, callAt } from "../arguments.js";
import type { SpecDocument } from "../document.js";
import { codeBlock } from "../../compiler/diagnostics/explain.js";
import { documentArgument } from "../../compiler/reference/describe.js";
import { keywords } from "../../compiler/reference/keywords.js";
import { documentCallable, documentFacts } from "../markdown.js";
import { lastPart, touches } from "../spans.js";

/** The word at a place, with its documentation and what it is in this network. */
export function hover(document: SpecDocument, offset: number): Hover | undefined {
  const found =
    hoverCall(document, offset) ??
    hoverArgument(document, offset) ??
    hoverName(document, offset) ??
    hoverSetting(document, offset) ??
    hoverKeyword(document, offset);
  const parts = [...(found ? [found.text] : []), ...explainMistakes(document, offset)];
  if (parts.length === 0) return undefined;
  return {
    contents: { kind: "markdown", value: parts.join("\n\n---\n\n") },
    range: found ? lspRange(found.span) : undefined,
  };
}

interface Found {
  readonly span: Span;
  readonly text: string;
}

function inParagraphs(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("\n\n");
}

// Calls

function hoverCall(document: SpecDocument, offset: number): Found | undefined {
  const found = callAt(document, offset);
  if (!found?.callable) return undefined;
  const { span } = found.call.callee;
  const facts = found.role === "layer" ? documentFacts(document.facts.at(span)) : "";
  return { span, text: inParagraphs(facts, documentCallable(found.callable)) };
}

function hoverArgument(document: SpecDocument, offset: number): Found | undefined {
  const found = argumentAt(document, offset);
  if (!found) return undefined;
  const { name, declaration, callable, span } = found;
  const text =
    `${documentArgument(name, declaration)}\n\n` +
    `argument of the ${callable.noun} \`${callable.name}\``;
  return { span, text };
}

// Names

function hoverName(document: SpecDocument, offset: number): Found | undefined {
  const { occurrences } = document.analysis;
  const occurrence = occurrences.find(({ span }) => touches(span, offset));
  return occurrence && { span: occurrence.span, text: describeName(occurrence, document) };
}

function describeName(occurrence: Occurrence, document: SpecDocument): string {
  const { kind, name, definition } = occurrence;
  const declaration = declarationAt(definition, document);
  const head = declaration ? headOf(declaration, document) : `${kind} ${name}`;
  const facts = document.facts.ofAlias(lastPart(name), definition);
  return inParagraphs(
    codeBlock(head),
    valuesText(occurrence),
    kind === "value" ? documentFacts(facts) : "",
    (declaration && "documentation" in declaration && declaration.documentation) || "",
  );
}

/** The declaration whose name is at a place. */
function declarationAt({ file, start }: Span, document: SpecDocument): Declaration | undefined {
  return document
    .specOf(file)
    ?.declarations.find(
      (each) => each.kind !== "import" && each.name.span.start.offset === start.offset,
    );
}

/** A declaration up to its body. */
function headOf({ span }: Declaration, document: SpecDocument): string {
  return document.textOf(span).split("{")[0]!.trim();
}

/** `takes 64, 128, 256`. */
function valuesText({ values, kind }: Occurrence): string {
  if (values.length === 0) return "";
  const shown = values.map((value) => `\`${value}\``).join(", ");
  return kind === "constant" ? `value: ${shown}` : `takes ${shown}`;
}

// Settings and keywords

function hoverSetting(document: SpecDocument, offset: number): Found | undefined {
  const names = document.spec.declarations.flatMap((declaration) =>
    declaration.kind === "train" ? settingsWithin(declaration).map(({ name }) => name) : [],
  );
  const found = names.find(({ span }) => touches(span, offset));
  const definition = [...trainSettings, ...stepSettings].find(({ name }) => name === found?.name);
  return (
    found && definition && { span: found.span, text: `\`${found.name}\`: ${definition.meaning}` }
  );
}

function hoverKeyword(document: SpecDocument, offset: number): Found | undefined {
  const token = document.tokens.find(({ span }) => touches(span, offset));
  const keyword = token?.kind === "keyword" && keywords.find(({ word }) => word === token.text);
  return keyword
    ? { span: token.span, text: `\`${keyword.word}\`: ${keyword.summary}` }
    : undefined;
}

// Mistakes

/** The rule behind each diagnostic at a place, as `netc explain` prints it. */
function explainMistakes({ analysis, file }: SpecDocument, offset: number): readonly string[] {
  const here = analysis.diagnostics.filter(
    ({ primary: { span } }) => span.file === file && touches(span, offset),
  );
  const codes = new Set(here.map(({ code }) => code).filter(isDiagnosticCode));
  return [...codes].map((code) => `**${code}**: ${catalogue[code].explanation}`);
}
