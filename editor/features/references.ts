import type { DocumentHighlight, Location } from "vscode-languageserver";
import { lspRange } from "../../compiler/diagnostics/render-lsp.js";
import type { SpecDocument } from "../document.js";
import { nameAt, type NameUse, usesOf } from "../names.js";

/**
 * Every place that uses what a name refers to.
 *
 * @param documents those that may use it, the document itself among them
 */
export function references(
  document: SpecDocument,
  offset: number,
  {
    documents,
    includeDeclaration,
  }: { readonly documents: Iterable<SpecDocument>; readonly includeDeclaration: boolean },
): Location[] {
  const name = nameAt(document, offset);
  const uses = name ? usesOf(name, documents) : [];
  return uses
    .filter((use) => includeDeclaration || !isDeclaration(use))
    .map(({ span, document: user }) => user.location(span));
}

function isDeclaration({ span, definition }: NameUse): boolean {
  return span.file === definition.file && span.start.offset === definition.start.offset;
}

/** The same within the document, for an editor to highlight. */
export function highlights(document: SpecDocument, offset: number): DocumentHighlight[] {
  const name = nameAt(document, offset);
  const uses = name ? usesOf(name, [document]) : [];
  return uses.map(({ span }) => ({ range: lspRange(span) }));
}
