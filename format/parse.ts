import { parse as parseSpec } from "../grammar/index.js";
import { lex } from "../grammar/lexer.js";
import type { Comment, Root } from "./nodes.js";

/** What prettier shows of a text that does not parse: the first problem, and where it is. */
class UnreadableSpec extends SyntaxError {
  constructor(
    message: string,
    readonly loc: { readonly start: { readonly line: number; readonly column: number } },
  ) {
    super(message);
  }
}

/**
 * The tree of a spec with its comments. Throws a SyntaxError with the place of the first problem.
 */
export function parse(text: string): Root {
  const file = "";
  const { spec, problems } = parseSpec(text, file);
  const [first] = problems;
  if (first) throw new UnreadableSpec(`${first.code}: ${first.message}`, first.span);
  return { ...spec, comments: commentsOf(text) };
}

function commentsOf(text: string): readonly Comment[] {
  const { comments, documentation } = lex(text, "");
  return [...comments, ...documentation]
    .toSorted((a, b) => a.startOffset - b.startOffset)
    .map(({ image, startOffset: offset, startLine: line = 1, startColumn: column = 1 }) => {
      const text = image.trimEnd();
      const start = { offset, line, column };
      const end = { offset: offset + text.length, line, column: column + text.length };
      return { kind: "comment", text, span: { file: "", start, end } };
    });
}
