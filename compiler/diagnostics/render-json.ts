import type { Position, Span } from "../../grammar/ast.js";
import type { Diagnostic, Fix, Label } from "./diagnostic.js";

/**
 * All diagnostics as one JSON document, version 1. Lines and columns count from 1, ends are
 * exclusive.
 */
export function renderJson(diagnostics: readonly Diagnostic[]): string {
  return JSON.stringify({ version: 1, diagnostics: diagnostics.map(describe) });
}

function describe({ code, severity, message, primary, related, notes, fixes }: Diagnostic) {
  return {
    code,
    severity,
    message,
    ...place(primary.span),
    label: primary.message,
    related: related.map(describeLabel),
    notes,
    fixes: fixes.map(describeFix),
  };
}

function describeLabel({ message, span }: Label) {
  return { message, ...place(span) };
}

function describeFix({ title, edits }: Fix) {
  return { title, edits: edits.map(({ span, newText }) => ({ ...place(span), newText })) };
}

function place({ file, start, end }: Span) {
  return { file, range: { start: lineAndColumn(start), end: lineAndColumn(end) } };
}

function lineAndColumn({ line, column }: Position) {
  return { line, column };
}
