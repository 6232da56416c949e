import type { Span } from "../../grammar/ast.js";

/**
 * Where in the spec a value came from. Passes keep it, so that everything downstream speaks in the
 * spec's lines.
 */
export interface Origin {
  /** The layer's full name (`features.conv1`), or what the value is (`loss`). */
  readonly name: string;
  readonly span: Span;
  /** The uses of blocks that led here, the outermost first; absent outside of blocks. */
  readonly uses?: readonly Span[];
}
