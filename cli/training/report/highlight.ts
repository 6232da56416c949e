/** A spec's text in pieces, each with what it is, for the report to color. */
import { classify, type ClassifiedToken, type TokenKind } from "../../../grammar/index.js";
import type { HighlightedText, TextKind } from "../../../report/data.js";

const KINDS: Partial<Record<TokenKind, TextKind>> = {
  keyword: "keyword",
  boolean: "keyword",
  number: "number",
  string: "string",
  comment: "comment",
  documentation: "comment",
};

export function highlight(text: string, path: string): HighlightedText {
  const tokens = classify(text, path);
  const pieces: (readonly [string, TextKind])[] = [];
  let end = 0;
  tokens.forEach((token, index) => {
    const { start } = token.span;
    if (start.offset > end) pieces.push([text.slice(end, start.offset), "plain"]);
    end = start.offset + token.text.length;
    pieces.push([token.text, kindOf(token, tokens[index + 1])]);
  });
  if (end < text.length) pieces.push([text.slice(end), "plain"]);
  return { path, pieces };
}

/** A name before a parenthesis is called, one before an equals sign is given a value. */
function kindOf({ kind }: ClassifiedToken, next: ClassifiedToken | undefined): TextKind {
  if (kind !== "name") return KINDS[kind] ?? "plain";
  if (next?.text === "(") return "function";
  return next?.text === "=" ? "parameter" : "plain";
}
