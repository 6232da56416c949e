import type { IToken } from "chevrotain";

/** The `///` comments of a file, found by the line of what they describe. */
export class Documentation {
  private readonly byLine: ReadonlyMap<number, IToken>;

  constructor(comments: readonly IToken[]) {
    this.byLine = new Map(comments.map((comment) => [comment.startLine ?? 0, comment]));
  }

  /** The text of the comments right above a line, joined by line ends; undefined if there are none. */
  above(line: number): string | undefined {
    const texts: string[] = [];
    for (let at = line - 1; ; at--) {
      const comment = this.byLine.get(at);
      if (!comment) break;
      texts.unshift(comment.image.replace(/^\/\/\/ ?/, "").trimEnd());
    }
    return texts.length > 0 ? texts.join("\n") : undefined;
  }
}
