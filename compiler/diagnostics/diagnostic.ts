import type { Span } from "../../grammar/ast.js";

export type Severity = "error" | "warning";

/** A span and what is to be said about it. */
export interface Label {
  readonly span: Span;
  readonly message: string;
}

export interface Edit {
  readonly span: Span;
  readonly newText: string;
}

/** A change that was recomputed and checked before it is offered. */
export interface Fix {
  readonly title: string;
  readonly edits: readonly Edit[];
  /**
   * True for a name that can only have been meant: see safe-fixes.ts, which says what is applied
   * without asking.
   */
  readonly isCertain?: boolean;
  /**
   * True for a known meaning of a name that does not exist, behind which other mistakes may come to
   * light.
   */
  readonly isRename?: boolean;
}

/**
 * One thing that is wrong with a spec. The message makes sense alone: it says what was expected and
 * what came, with the numbers. Related labels (three at most) show where the offending value came
 * from.
 */
export interface Diagnostic {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly primary: Label;
  readonly related: readonly Label[];
  readonly notes: readonly string[];
  readonly fixes: readonly Fix[];
}
