import type { IToken } from "chevrotain";
import { is, spanOf } from "./place.js";
import type { SyntaxProblem } from "./problem.js";
import { problem } from "./problem.js";
import {
  And,
  Arrow,
  Caret,
  Colon,
  Comma,
  Comparison,
  Dot,
  Else,
  Equals,
  LeftBrace,
  LeftBracket,
  LeftParenthesis,
  Minus,
  Not,
  Or,
  Percent,
  Plus,
  RightBrace,
  RightBracket,
  RightParenthesis,
  Slash,
  Star,
} from "./tokens.js";

/**
 * Beyond this the recursion of the parser could overflow its stack; real specs have less than half
 * as many.
 */
const MOST_BRACKETS = 100;

/** The same for all that reads the syntax tree: `1+1+1` is an addition within an addition. */
const MOST_OPERATORS = 250;

/** What is known of an open bracket, or of the text outside of all brackets. */
interface Level {
  /** The height of the current expression: 1 for `1`, one more for each operator around it. */
  height: number;
  /** The height of the highest expression before it between the same brackets. */
  highest: number;
}

/**
 * The first place where a text is nested too deeply to be read. @param tokens with all brackets
 * balanced
 */
export function findTooDeep(tokens: readonly IToken[], file: string): SyntaxProblem | undefined {
  const levels: Level[] = [{ height: 0, highest: 0 }];
  for (const [index, token] of tokens.entries()) {
    if (is(token, LeftParenthesis, LeftBracket, LeftBrace)) levels.push({ height: 0, highest: 0 });
    else if (is(token, RightParenthesis, RightBracket, RightBrace)) {
      closeLevel(levels);
      if (is(token, RightBrace) && !is(tokens[index + 1], Else)) startExpression(levels.at(-1)!);
    } else if (is(token, Comma, Equals, Colon, Arrow)) startExpression(levels.at(-1)!);
    else if (isOperator(tokens, index)) levels.at(-1)!.height++;
    if (levels.length > MOST_BRACKETS + 1) return tooManyBrackets(token, file);
    if (levels.at(-1)!.height > MOST_OPERATORS) return tooManyOperators(token, file);
  }
  return undefined;
}

function startExpression(level: Level): void {
  level.highest = Math.max(level.highest, level.height);
  level.height = 0;
}

/** The text between brackets is an operand of the expression around them. */
function closeLevel(levels: Level[]): void {
  const inner = levels.length > 1 ? levels.pop()! : levels[0]!;
  const outer = levels.at(-1)!;
  outer.height = Math.max(outer.height, 1 + Math.max(inner.height, inner.highest));
}

/** Whether a token computes, or puts one `if` into another one. The `*` of a pattern does not. */
function isOperator(tokens: readonly IToken[], index: number): boolean {
  const token = tokens[index];
  if (is(token, Star)) return !is(tokens[index - 1], Dot) && !is(tokens[index + 1], Dot);
  return is(token, Plus, Minus, Slash, Percent, Caret, Comparison, And, Or, Not, Else);
}

function tooManyBrackets(token: IToken, file: string): SyntaxProblem {
  const message = `brackets are nested more than ${MOST_BRACKETS} deep here`;
  return problem("NET0016", spanOf(file, token), message);
}

function tooManyOperators(token: IToken, file: string): SyntaxProblem {
  const isElse = is(token, Else);
  const message = isElse
    ? `this \`if\` has more than ${MOST_OPERATORS} conditions and operators`
    : `this expression computes with more than ${MOST_OPERATORS} operators`;
  return problem("NET0016", spanOf(file, token), message, {
    notes: isElse ? [] : ["give its parts names: `const part = ...`"],
  });
}
