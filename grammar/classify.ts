import type { IToken, TokenType } from "chevrotain";
import type { Span } from "./ast.js";
import type { LexedText } from "./lexer.js";
import { is, spanOf } from "./place.js";
import * as t from "./tokens.js";

export type TokenKind =
  | "keyword"
  | "name"
  | "number"
  | "string"
  | "boolean"
  | "operator"
  | "bracket"
  | "separator"
  | "comment"
  | "documentation";

/**
 * A token for those who show a text or find their way in it: comments included, line ends left out.
 */
export interface ClassifiedToken {
  readonly kind: TokenKind;
  readonly text: string;
  readonly span: Span;
}

const kinds: readonly (readonly [TokenKind, readonly TokenType[]])[] = [
  ["boolean", [t.True, t.False]],
  ["number", [t.Integer, t.Float]],
  ["string", [t.StringLiteral]],
  ["operator", [t.Arrow, t.Comparison, t.Equals, t.Range]],
  ["operator", [t.And, t.Or, t.Not]],
  ["operator", [t.Plus, t.Minus, t.Star, t.Slash, t.Percent, t.Caret]],
  ["separator", [t.Comma, t.Colon, t.Dot]],
  ["bracket", [t.LeftParenthesis, t.RightParenthesis, t.LeftBracket, t.RightBracket]],
  ["bracket", [t.LeftBrace, t.RightBrace]],
  ["keyword", [t.As, t.Const, t.Model, t.For, ...t.statementWords]],
];

/**
 * @param typed the same tokens with keywords recognized in their places; some may be missing or
 * made up
 */
export function classifyTokens(
  { tokens, comments, documentation }: LexedText,
  typed: readonly IToken[],
  file: string,
): readonly ClassifiedToken[] {
  const types = new Map(typed.flatMap((token) => (token.image ? [[keyOf(token), token]] : [])));
  const written = tokens
    .filter((token) => !is(token, t.NewLine))
    .map((token) => types.get(keyOf(token)) ?? token);
  const remark = (kind: TokenKind) => (token: IToken) => describe(kind, token, file);
  return [
    ...written.map((token, index) => describe(kindAt(written, index), token, file)),
    ...comments.map(remark("comment")),
    ...documentation.map(remark("documentation")),
  ].sort((a, b) => a.span.start.offset - b.span.start.offset);
}

const keyOf = ({ startOffset }: IToken) => startOffset;

function describe(kind: TokenKind, token: IToken, file: string): ClassifiedToken {
  return { kind, text: token.image, span: spanOf(file, token) };
}

function kindAt(tokens: readonly IToken[], index: number): TokenKind {
  const token = tokens[index]!;
  if (isHeaderWord(tokens, index)) return "keyword";
  return kinds.find(([, types]) => is(token, ...types))?.[0] ?? "name";
}

/**
 * Words that are keywords in one place of a header only: `for x in`, `train Base of M on D`,
 * `skip auto`.
 */
function isHeaderWord(tokens: readonly IToken[], index: number): boolean {
  const [before, token, next] = [tokens[index - 1], tokens[index], tokens[index + 1]];
  if (is(token, t.In)) {
    return is(before, t.Name, t.RightBracket, t.RightParenthesis) && !is(next, t.Equals);
  }
  if (is(token, t.Of, t.On)) {
    return is(before, t.Name, t.RightParenthesis, t.RightBracket) && is(next, t.Name);
  }
  return token?.image === "auto" && is(before, t.Skip);
}
