import type { Range, TextEdit, WorkspaceEdit } from "vscode-languageserver";
import { classify } from "../../grammar/index.js";
import { applyEdits } from "../../compiler/semantics/check-fixes.js";
import { lspRange } from "../../compiler/diagnostics/render-lsp.js";
import type { SpecDocument } from "../document.js";
import { nameAt, namesIn, type NameUse, usesOf } from "../names.js";

/** Why a name cannot be changed, in words for the user. */
export class RenameRefused extends Error {}

/** The name at an offset, if it is one that the spec defines. */
export function prepareRename(
  document: SpecDocument,
  offset: number,
): { range: Range; placeholder: string } {
  const { span, name } = requireName(document, offset);
  return { range: lspRange(span), placeholder: name };
}

/** What renaming works on. */
export interface RenameScope {
  /** The specs that may use the name, the document itself among them. */
  readonly documents: readonly SpecDocument[];
  /** A document with other texts: those of the edited files, by URI. */
  readonly reread: (document: SpecDocument, texts: ReadonlyMap<string, string>) => SpecDocument;
}

/**
 * Changes a name wherever it refers to the same thing. The change is tried first: it is refused
 * where a name would then mean something else, or where the spec would have mistakes that it does
 * not have now.
 */
export function rename(
  document: SpecDocument,
  offset: number,
  newName: string,
  scope: RenameScope,
): WorkspaceEdit {
  const name = requireName(document, offset);
  requireIdentifier(newName);
  const uses = usesToRename(name, scope.documents);
  requireSameMeaning(uses, newName, scope);
  const changes: Record<string, TextEdit[]> = {};
  for (const { document: user, span } of uses) {
    (changes[user.source.uri] ??= []).push({ range: lspRange(span), newText: newName });
  }
  return { changes };
}

function requireName(document: SpecDocument, offset: number): NameUse {
  const name = nameAt(document, offset);
  if (!name) throw new RenameRefused("only names that a spec defines can be renamed");
  const isDefined = usesToRename(name, [document]).some(
    ({ key, span, document: user }) => key.endsWith(`#${span.start.offset}`) && user === document,
  );
  const isElsewhere = name.definition.file !== document.file;
  if (isDefined || isElsewhere) return name;
  throw new RenameRefused(`\`${name.name}\` is numbered by netc: name the layer with \`as\``);
}

/**
 * An alias of an import is the importing file's own name for a thing; other names are the thing's,
 * everywhere.
 */
function usesToRename(name: NameUse, documents: readonly SpecDocument[]): readonly NameUse[] {
  const uses = usesOf(name, documents).filter((use) => use.name === name.name);
  const isAlias = name.document.textOf(name.definition) !== name.name;
  return isAlias ? uses.filter(({ document }) => document === name.document) : uses;
}

function requireIdentifier(name: string): void {
  const tokens = classify(name, "");
  const isName = tokens.length === 1 && tokens[0]!.kind === "name" && tokens[0]!.text === name;
  if (!isName) {
    const isWord = /^[A-Za-z_]\w*$/.test(name);
    throw new RenameRefused(
      isWord
        ? `\`${name}\` is a keyword`
        : `\`${name}\` is not a name: names are made of a-z, A-Z, 0-9 and _`,
    );
  }
}

function requireSameMeaning(
  uses: readonly NameUse[],
  newName: string,
  { documents, reread }: RenameScope,
): void {
  const texts = new Map(
    documents.map((document) => [document.source.uri, renamed(document, uses, newName)]),
  );
  for (const document of documents) {
    const after = reread(document, texts);
    const mistake = newMistake(document, after);
    if (mistake !== undefined) throw new RenameRefused(`\`${newName}\` does not fit: ${mistake}`);
    if (meaningsOf(after) !== meaningsOf(document)) {
      throw new RenameRefused(`\`${newName}\` already means something else in ${document.file}`);
    }
  }
}

function renamed(document: SpecDocument, uses: readonly NameUse[], newText: string): string {
  const own = uses.filter((use) => use.document === document);
  return applyEdits(
    document.text,
    own.map(({ span }) => ({ span, newText })),
  );
}

/** The message of a diagnostic that is new. */
function newMistake(before: SpecDocument, after: SpecDocument): string | undefined {
  const count = ({ analysis }: SpecDocument, code: string) =>
    analysis.diagnostics.filter((diagnostic) => diagnostic.code === code).length;
  return after.analysis.diagnostics.find(({ code }) => count(after, code) > count(before, code))
    ?.message;
}

/**
 * Which names refer to the same thing, apart from what they are called: the n-th name is defined
 * by the m-th.
 */
function meaningsOf(document: SpecDocument): string {
  const names = namesIn(document);
  const first = new Map<string, number>();
  return names
    .map(({ key, kind }, index) => {
      if (!first.has(key)) first.set(key, index);
      return `${kind} ${first.get(key)}`;
    })
    .join(", ");
}
