import type { Position, Span } from "./ast.js";

/** A mistake in the text of a spec. The codes are those of the catalogue's NET0 family. */
export interface SyntaxProblem {
  readonly code: `NET00${number}`;
  readonly message: string;
  readonly span: Span;
  /** The text after the underline. */
  readonly label?: string;
  readonly related?: readonly { readonly span: Span; readonly message: string }[];
  readonly notes: readonly string[];
  readonly fixes: readonly SyntaxFix[];
}

export interface SyntaxFix {
  readonly title: string;
  readonly edits: readonly { readonly span: Span; readonly newText: string }[];
}

/** What a problem may say beyond its code, place and message. */
export type ProblemDetails = Partial<Pick<SyntaxProblem, "label" | "related" | "notes" | "fixes">>;

export function problem(
  code: SyntaxProblem["code"],
  span: Span,
  message: string,
  details: ProblemDetails = {},
): SyntaxProblem {
  return { code, message, span, notes: [], fixes: [], ...details };
}

/** A fix that puts `newText` in the place of `span`. */
export function replace(span: Span, newText: string, title: string): SyntaxFix {
  return { title, edits: [{ span, newText }] };
}

/** A fix that inserts `newText` at a position. */
export function insert(file: string, at: Position, newText: string, title: string): SyntaxFix {
  return replace({ file, start: at, end: at }, newText, title);
}

/** Adds all of a list, however long: `push(...found)` overflows the stack. */
export function addProblems(problems: SyntaxProblem[], found: readonly SyntaxProblem[]): void {
  for (const each of found) problems.push(each);
}
