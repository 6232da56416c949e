import { type CodeAction, CodeActionKind, type Range, type TextEdit } from "vscode-languageserver";
import type { Diagnostic, Fix } from "../../compiler/diagnostics/diagnostic.js";
import { lspEdit, lspRange, renderLsp } from "../../compiler/diagnostics/render-lsp.js";
import type { SpecDocument } from "../document.js";

/** The fixes of the diagnostics in a range: each was applied and checked before it is offered. */
export function codeActions(document: SpecDocument, range: Range): CodeAction[] {
  return document.analysis.diagnostics
    .filter(
      ({ primary: { span } }) => span.file === document.file && overlap(lspRange(span), range),
    )
    .flatMap((diagnostic) => diagnostic.fixes.map((fix) => actionOf(fix, diagnostic, document)));
}

function actionOf(fix: Fix, diagnostic: Diagnostic, document: SpecDocument): CodeAction {
  const changes: Record<string, TextEdit[]> = {};
  for (const edit of fix.edits) {
    (changes[document.uriOf(edit.span.file)] ??= []).push(lspEdit(edit));
  }
  return {
    title: fix.title.charAt(0).toUpperCase() + fix.title.slice(1),
    kind: CodeActionKind.QuickFix,
    diagnostics: [renderLsp(diagnostic, (file) => document.uriOf(file))],
    isPreferred: diagnostic.fixes.length === 1,
    edit: { changes },
  };
}

function overlap(a: Range, b: Range): boolean {
  return !isBefore(a.end, b.start) && !isBefore(b.end, a.start);
}

function isBefore(a: Range["start"], b: Range["start"]): boolean {
  return a.line < b.line || (a.line === b.line && a.character < b.character);
}
