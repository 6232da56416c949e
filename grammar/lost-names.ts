import type { IToken } from "chevrotain";
import { is } from "./place.js";
import type { SyntaxProblem } from "./problem.js";
import { As, NewLine } from "./tokens.js";

/** What begins a declaration of something that chains use, here or in Python. */
const DECLARES = /^(?:fn|def|block|share)$/;
const NAME = /^[A-Za-z_]\w*$/;

/**
 * Names that lines with a problem would declare: `fn swish(x) { ... }`, `share enc(8) as tower`.
 * What uses them is not a second mistake.
 */
export function lostNames(
  tokens: readonly IToken[],
  problems: readonly SyntaxProblem[],
): readonly string[] {
  const broken = new Set(problems.map(({ span }) => span.start.line));
  const isName = (token: IToken | undefined) => token !== undefined && NAME.test(token.image);
  return tokens.flatMap((token, index) => {
    const before = tokens[index - 1];
    const next = tokens[index + 1];
    if (!broken.has(token.startLine ?? 0) || !isName(next)) return [];
    const isFirst = before === undefined || is(before, NewLine) || before.image === "{";
    return (isFirst && DECLARES.test(token.image)) || isSharedAlias(tokens, index)
      ? [next!.image]
      : [];
  });
}

/** Whether a token is the `as` of `share enc(8) as tower`. */
function isSharedAlias(tokens: readonly IToken[], index: number): boolean {
  if (!is(tokens[index], As)) return false;
  const start = tokens.findLastIndex((each, at) => at < index && is(each, NewLine)) + 1;
  return tokens[start]?.image === "share";
}
