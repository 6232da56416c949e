import type { Span } from "../grammar/ast.js";
import type { Occurrence } from "../compiler/calls/occurrences.js";
import type { SpecDocument } from "./document.js";
import { lastPart, lastPartSpan, touches } from "./spans.js";
import { keyOf } from "./uris.js";

/** A name in a document: the last part alone, which is what leads somewhere and can be renamed. */
export interface NameUse {
  readonly document: SpecDocument;
  readonly name: string;
  readonly kind: Occurrence["kind"];
  readonly span: Span;
  readonly definition: Span;
  /** The same for every use of one thing, in whichever file: where it is defined. */
  readonly key: string;
}

/** All names of a document, in the order of the text. */
export function namesIn(document: SpecDocument): readonly NameUse[] {
  const { occurrences } = document.analysis;
  const byOffset = new Map(occurrences.map((each) => [each.span.start.offset, each]));
  return occurrences.map((occurrence) => {
    const { kind, name, span } = occurrence;
    const definition = finalDefinition(occurrence, byOffset, document);
    const key = `${keyOf(document.uriOf(definition.file))}#${definition.start.offset}`;
    return {
      document,
      name: lastPart(name),
      kind,
      span: lastPartSpan(span, name),
      definition,
      key,
    };
  });
}

/** An imported constant is defined where the import leads. */
function finalDefinition(
  { definition, span }: Occurrence,
  byOffset: ReadonlyMap<number, Occurrence>,
  { file }: SpecDocument,
): Span {
  if (definition.file !== file || definition.start.offset === span.start.offset) return definition;
  return byOffset.get(definition.start.offset)?.definition ?? definition;
}

export function nameAt(document: SpecDocument, offset: number): NameUse | undefined {
  return namesIn(document).find(({ span }) => touches(span, offset));
}

/** Every use of what a name refers to, in a document and in others. */
export function usesOf({ key }: NameUse, documents: Iterable<SpecDocument>): readonly NameUse[] {
  return [...documents].flatMap((document) => namesIn(document).filter((use) => use.key === key));
}
