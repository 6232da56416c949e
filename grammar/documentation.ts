import type { IToken } from "chevrotain";
import type { Position } from "./ast.js";
import { is } from "./place.js";
import { NewLine } from "./tokens.js";

/** The `///` comments of a file, found by the place of what they describe. */
export class Documentation {
  private readonly byLine: ReadonlyMap<number, IToken>;
  /** Where each line's first token begins. */
  private readonly firstColumns = new Map<number, number>();

  constructor(text: {
    readonly documentation: readonly IToken[];
    readonly tokens: readonly IToken[];
  }) {
    this.byLine = new Map(text.documentation.map((comment) => [comment.startLine ?? 0, comment]));
    for (const token of text.tokens) {
      const { startLine = 0, startColumn = 0 } = token;
      if (!is(token, NewLine) && !this.firstColumns.has(startLine)) {
        this.firstColumns.set(startLine, startColumn);
      }
    }
  }

  /**
   * The text of the comments right above the first token of a line, joined by line ends;
   * undefined if there are none.
   */
  above({ line, column }: Position): string | undefined {
    if (this.firstColumns.get(line) !== column) return undefined;
    const texts: string[] = [];
    for (let at = line - 1; ; at--) {
      const comment = this.byLine.get(at);
      if (!comment) break;
      texts.unshift(comment.image.replace(/^\/\/\/ ?/, "").trimEnd());
    }
    return texts.length > 0 ? texts.join("\n") : undefined;
  }
}
