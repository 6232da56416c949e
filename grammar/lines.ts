import type { IToken } from "chevrotain";
import { is } from "./place.js";
import { Arrow, LeftBrace, NewLine, Plus, RightBrace } from "./tokens.js";

/**
 * Drops the line ends that end nothing: empty lines, those before a leading `->` or `+`, after a
 * trailing one, and before a `{` on a separate line.
 */
export function joinLines(tokens: readonly IToken[]): IToken[] {
  const output: IToken[] = [];
  let next: IToken | undefined;
  for (const token of tokens.toReversed()) {
    if (!is(token, NewLine)) next = token;
    output.push(token);
    if (is(token, NewLine) && is(next, Arrow, Plus, LeftBrace)) output.pop();
  }
  return dropEmptyLines(output.reverse());
}

function dropEmptyLines(tokens: readonly IToken[]): IToken[] {
  const output: IToken[] = [];
  tokens.forEach((token, index) => {
    const isEmpty = output.length === 0 || is(output.at(-1), NewLine, LeftBrace);
    const continues = is(output.at(-1), Arrow, Plus) && !is(tokens[index + 1], RightBrace);
    if (is(token, NewLine) && (isEmpty || continues)) return;
    output.push(token);
  });
  return output;
}
