import type { IToken, TokenType } from "chevrotain";
import { createTokenInstance, tokenMatcher } from "chevrotain";
import type { Position, Span } from "./ast.js";

/** The start of a token. */
export function startOf(token: IToken): Position {
  return { offset: token.startOffset, line: token.startLine ?? 1, column: token.startColumn ?? 1 };
}

/** The position just after a token. */
export function endOf(token: IToken): Position {
  return {
    offset: (token.endOffset ?? token.startOffset - 1) + 1,
    line: token.endLine ?? 1,
    column: (token.endColumn ?? 0) + 1,
  };
}

/** From the start of the first token to the end of the last. */
export function spanOf(file: string, first: IToken, last: IToken = first): Span {
  return { file, start: startOf(first), end: endOf(last) };
}

/** The empty span just after a token, or at the start of the file. */
export function spanAfter(file: string, token: IToken | undefined): Span {
  const at = token ? endOf(token) : { offset: 0, line: 1, column: 1 };
  return { file, start: at, end: at };
}

/**
 * A token that is missing in the text, just after another: empty, so that spans stay true to the
 * text.
 */
export function missingToken(type: TokenType, after: IToken | undefined): IToken {
  const at = after ? endOf(after) : { offset: 0, line: 1, column: 1 };
  return createTokenInstance(
    type,
    "",
    at.offset,
    at.offset - 1,
    at.line,
    at.line,
    at.column,
    at.column - 1,
  );
}

/** The same piece of text, read as another type of token. */
export function retyped(token: IToken, type: TokenType): IToken {
  return { ...token, tokenType: type, tokenTypeIdx: type.tokenTypeIdx ?? 0 };
}

/** True if the token is of the type, or of a type within that category. */
export function is(token: IToken | undefined, ...types: readonly TokenType[]): boolean {
  return token !== undefined && types.some((type) => tokenMatcher(token, type));
}
