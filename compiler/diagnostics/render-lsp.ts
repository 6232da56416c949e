import type { Position, Span } from "../../grammar/ast.js";
import { catalogue, isDiagnosticCode } from "./catalogue/index.js";
import type { Diagnostic, Edit } from "./diagnostic.js";

/**
 * A place in the Language Server Protocol: lines and UTF-16 code units count from 0, ends are
 * exclusive.
 */
export interface LspRange {
  readonly start: { readonly line: number; readonly character: number };
  readonly end: { readonly line: number; readonly character: number };
}

/** `Diagnostic` of the protocol, version 3.17. */
export interface LspDiagnostic {
  range: LspRange;
  severity: 1 | 2;
  code: string;
  source: "netc";
  message: string;
  tags?: 1[];
  relatedInformation?: { location: { uri: string; range: LspRange }; message: string }[];
}

const SEVERITIES = { error: 1, warning: 2 } as const;
const UNNECESSARY = 1;

/**
 * A diagnostic as an editor shows it. Its label and notes follow the message, a line each; its
 * fixes are code actions.
 *
 * @param uriOf the URI of a file, by the name that spans have for it
 */
export function renderLsp(
  { code, severity, message, primary, related, notes }: Diagnostic,
  uriOf: (file: string) => string,
): LspDiagnostic {
  const isUnnecessary = isDiagnosticCode(code) && catalogue[code].isUnnecessary;
  return {
    range: lspRange(primary.span),
    severity: SEVERITIES[severity],
    code,
    source: "netc",
    message: [message, ...(primary.message ? [primary.message] : []), ...notes].join("\n"),
    tags: isUnnecessary ? [UNNECESSARY] : undefined,
    relatedInformation: related.map((label) => ({
      location: { uri: uriOf(label.span.file), range: lspRange(label.span) },
      message: label.message,
    })),
  };
}

export function lspRange({ start, end }: Pick<Span, "start" | "end">): LspRange {
  return { start: lspPosition(start), end: lspPosition(end) };
}

export function lspEdit({ span, newText }: Edit): { range: LspRange; newText: string } {
  return { range: lspRange(span), newText };
}

function lspPosition({ line, column }: Position): LspRange["start"] {
  return { line: line - 1, character: column - 1 };
}
