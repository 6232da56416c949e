import type { IToken, TokenType } from "chevrotain";
import type { Balanced } from "./brackets.js";
import { editDistance, isClose } from "./distance.js";
import { is, retyped, spanOf } from "./place.js";
import type { SyntaxProblem } from "./problem.js";
import { problem, replace } from "./problem.js";
import {
  Arrow,
  As,
  Colon,
  Const,
  Data,
  Equals,
  Identifier,
  Input,
  LeftBrace,
  LeftParenthesis,
  Loss,
  Metric,
  MisplacedWord,
  Model,
  Name,
  NewLine,
  RightBrace,
  Target,
  Train,
} from "./tokens.js";

interface Keyword {
  readonly word: string;
  readonly type: TokenType;
  /** What follows the name after the keyword, if one thing always does. */
  readonly followedBy?: TokenType;
}

const declarationKeywords: readonly Keyword[] = [
  { word: "const", type: Const, followedBy: Equals },
  { word: "model", type: Model },
  { word: "data", type: Data },
  { word: "train", type: Train },
];

const memberKeywords: readonly Keyword[] = [
  { word: "input", type: Input, followedBy: Colon },
  { word: "target", type: Target, followedBy: Colon },
  { word: "loss", type: Loss, followedBy: LeftParenthesis },
  { word: "metric", type: Metric, followedBy: Equals },
];

/**
 * Finds the keywords: words such as `train` and `loss` are keywords only where they start a statement, and misspelt
 * keywords are read as what was meant. `const` and `model` elsewhere must not look like the start of a declaration, or the
 * parser would go on there after a mistake.
 */
export function findKeywords(tokens: readonly IToken[], file: string): Balanced {
  const problems: SyntaxProblem[] = [];
  let depth = 0;
  let declaration: TokenType | undefined;
  const output = tokens.map((token, index) => {
    if (is(token, LeftBrace)) depth++;
    if (is(token, RightBrace)) depth--;
    const isMisplaced = depth > 0 || !startsStatement(tokens, index);
    if (isMisplaced && is(token, Const, Model)) return retyped(token, MisplacedWord);
    if (!startsStatement(tokens, index)) return token;
    if (depth > 0 && declaration !== Model) return token;
    const keywords = depth > 0 ? memberKeywords : declarationKeywords;
    const keyword = keywordAt(tokens, index, keywords);
    if (depth === 0) declaration = keyword?.type ?? token.tokenType;
    if (!keyword || token.tokenType === keyword.type) return token;
    if (token.image !== keyword.word) problems.push(misspelt(file, token, keyword));
    return retyped(token, keyword.type);
  });
  return { tokens: output, problems };
}

function startsStatement(tokens: readonly IToken[], index: number): boolean {
  return index === 0 || is(tokens[index - 1], NewLine, LeftBrace, RightBrace);
}

function keywordAt(
  tokens: readonly IToken[],
  index: number,
  keywords: readonly Keyword[],
): Keyword | undefined {
  const [token, next, afterNext] = [tokens[index], tokens[index + 1], tokens[index + 2]];
  if (!is(token, Identifier)) return undefined;
  const exact = keywords.find(({ word }) => word === token?.image);
  if (exact) return isLayerOrSection(exact, next) ? undefined : exact;
  if (!is(next, Name) || !token) return undefined;
  const written = token.image.toLowerCase();
  return keywords
    .filter(
      ({ word, followedBy }) =>
        isClose(written, word) && (!followedBy || is(afterNext, followedBy)),
    )
    .sort((a, b) => editDistance(written, a.word) - editDistance(written, b.word))[0];
}

/** `loss -> relu`: within a model, a layer or a section may have a keyword's name. */
function isLayerOrSection(keyword: Keyword, next: IToken | undefined): boolean {
  if (!memberKeywords.includes(keyword)) return false;
  return next === undefined || is(next, Arrow, As, NewLine, LeftParenthesis, LeftBrace, RightBrace);
}

function misspelt(file: string, token: IToken, { word }: Keyword): SyntaxProblem {
  const span = spanOf(file, token);
  return problem("NET0007", span, `unknown keyword \`${token.image}\`: did you mean \`${word}\`?`, {
    fixes: [replace(span, word, `write \`${word}\``)],
  });
}
