import type { ILexingError, IToken } from "chevrotain";
import { Lexer } from "chevrotain";
import type { Position, Span } from "./ast.js";
import { divisions } from "./division.js";
import { is, spanOf } from "./place.js";
import type { SyntaxProblem } from "./problem.js";
import { problem, replace } from "./problem.js";
import {
  ForeignAnd,
  ForeignComparison,
  ForeignNot,
  ForeignOr,
  lexedTokens,
  MalformedNumber,
  SingleQuotedString,
  UnterminatedString,
} from "./tokens.js";

export interface LexedText {
  readonly tokens: IToken[];
  /** `///` comments, in order. */
  readonly documentation: readonly IToken[];
  /** `//` comments, in order. */
  readonly comments: readonly IToken[];
  readonly problems: readonly SyntaxProblem[];
}

/** The check of the tokens themselves is a test's work. */
const lexer = new Lexer(lexedTokens, { positionTracking: "full", skipValidations: true });

/** Cuts a text into tokens. Characters that belong to no token are reported and left out. */
export function lex(text: string, file: string): LexedText {
  const { tokens, groups, errors } = lexer.tokenize(text);
  const foreignComments = groups["foreignComments"] ?? [];
  return {
    tokens,
    documentation: groups["documentation"] ?? [],
    comments: groups["comments"] ?? [],
    problems: [
      ...unknownCharacters(text, file, errors),
      ...foreignComments.map((comment) => foreignComment(file, comment)),
      ...tokens.flatMap((token) => malformedToken(file, token) ?? []),
      ...foreignSigns(text, file, tokens),
      ...divisions(file, tokens, groups["comments"] ?? []),
    ],
  };
}

function malformedToken(file: string, token: IToken): SyntaxProblem | undefined {
  switch (token.tokenType) {
    case MalformedNumber:
      return malformedNumber(file, token);
    case SingleQuotedString:
      return singleQuotes(file, token);
    case UnterminatedString:
      return unterminatedString(file, token);
    default:
      return undefined;
  }
}

function malformedNumber(file: string, token: IToken): SyntaxProblem {
  const span = spanOf(file, token);
  const meant = numberMeant(token.image);
  const fixes = meant === undefined ? [] : [replace(span, meant, `write \`${meant}\``)];
  return problem("NET0005", span, `\`${token.image}\` is not a number`, { fixes });
}

/** `1_000` means `1000`, `0x10` means `16`, `5epochs` means `5 epochs`; undefined for others. */
export function numberMeant(image: string): string | undefined {
  if (/^\d+(_\d+)+$/.test(image)) return image.replaceAll("_", "");
  if (/^0x[\da-fA-F]+$/.test(image)) return String(Number(image));
  const unit = /^(\d+)([A-Za-z]{3,})$/.exec(image);
  return unit ? `${unit[1]} ${unit[2]}` : undefined;
}

function singleQuotes(file: string, token: IToken): SyntaxProblem {
  const span = spanOf(file, token);
  const inDouble = `"${token.image.slice(1, -1).replaceAll('"', '\\"')}"`;
  return problem("NET0004", span, "strings are in double quotes", {
    fixes: [replace(span, inDouble, `write \`${inDouble}\``)],
  });
}

function unterminatedString(file: string, token: IToken): SyntaxProblem {
  const span = spanOf(file, token);
  if (token.image.length === 1) {
    return problem("NET0004", span, "this quote starts a string that is not closed on its line");
  }
  return problem("NET0004", span, `the string \`${token.image}\` is not closed on its line`, {
    label: 'expected a closing `"`',
    fixes: [replace({ ...span, start: span.end }, '"', 'close the string with `"`')],
  });
}

/** What people mean by operators of other languages. */
export const MEANT_BY_SIGN: Readonly<Record<string, string>> = {
  "&&": "and",
  "&": "and",
  "||": "or",
  "|": "or",
  "!": "not",
  "~": "not",
  "===": "==",
  "!==": "!=",
  "<>": "!=",
};

/** One problem for each sign, however often it occurs in the text. */
function foreignSigns(text: string, file: string, tokens: readonly IToken[]): SyntaxProblem[] {
  const places = new Map<string, IToken[]>();
  for (const token of tokens) {
    if (!is(token, ForeignAnd, ForeignOr, ForeignNot, ForeignComparison)) continue;
    places.set(token.image, [...(places.get(token.image) ?? []), token]);
  }
  return [...places.values()].map((same) => foreignSign(text, file, same));
}

function foreignSign(text: string, file: string, same: readonly IToken[]): SyntaxProblem {
  const [first] = same as [IToken];
  const meant = MEANT_BY_SIGN[first.image]!;
  const isWord = !is(first, ForeignComparison);
  const edits = same.map((token) => {
    const span = spanOf(file, token);
    const before = isWord && /[\w)\]]/.test(text[span.start.offset - 1] ?? "") ? " " : "";
    const after = isWord && text[span.end.offset] !== " " ? " " : "";
    return { span, newText: `${before}${meant}${after}` };
  });
  const message = `\`${first.image}\` means nothing here: write \`${meant}\``;
  return problem("NET0006", spanOf(file, first), message, {
    notes: [
      ...occurrences(same.length),
      ...(isWord ? ["conditions are joined by `and`, `or` and `not`"] : []),
    ],
    fixes: [{ title: `write \`${meant}\``, edits }],
  });
}

const occurrences = (count: number): readonly string[] =>
  count > 1 ? [`it occurs in ${count - 1} more ${count === 2 ? "place" : "places"}`] : [];

function foreignComment(file: string, token: IToken): SyntaxProblem {
  const span = spanOf(file, token);
  const opening = token.image.startsWith("#") ? "#" : "/*";
  const body = token.image.replace(/^#+|^\/\*+|\*+\/$/g, "");
  const newText = body.replace(/^|(\r\n|\n|\r)/g, (lineEnd) => `${lineEnd}//`);
  return problem("NET0006", span, `comments start with \`//\`, not with \`${opening}\``, {
    fixes: [replace(span, newText, "write the comment with `//`")],
  });
}

/** What people mean by characters that come from word processors, web pages and other languages. */
const MEANT_BY_CHARACTER: Readonly<Record<string, string>> = {
  "→": "->",
  "⇒": "->",
  "–": "-",
  "—": "-",
  "−": "-",
  "×": "*",
  "÷": "/",
  "“": '"',
  "”": '"',
  "„": '"',
  "‘": '"',
  "’": '"',
  "，": ",",
  "（": "(",
  "）": ")",
};

const NOTES_OF_CHARACTER: Readonly<Record<string, readonly string[] | undefined>> = {
  "?": ["`where(condition, x, y)` is x where the condition is true, else y"],
  "@": ["the layer `matmul(y)` multiplies matrices"],
};

/** One problem for each character, however often it occurs in the text: its fix mends them all. */
function unknownCharacters(
  text: string,
  file: string,
  errors: readonly ILexingError[],
): SyntaxProblem[] {
  const places = new Map<string, Span[]>();
  for (const error of errors) {
    const image = text.slice(error.offset, error.offset + error.length);
    places.set(image, [...(places.get(image) ?? []), spanOfError(file, error)]);
  }
  return [...places].map(([image, spans]) => unknownCharacter(image, spans));
}

function unknownCharacter(image: string, spans: readonly Span[]): SyntaxProblem {
  const [first] = spans as readonly [Span];
  const meant = image === ";" ? "" : MEANT_BY_CHARACTER[image];
  const title = meant === "" ? "remove `;`" : `write \`${meant}\``;
  const edits = spans.map((span) => ({ span, newText: meant ?? "" }));
  return problem("NET0006", first, describeCharacter(image, meant), {
    notes: [...occurrences(spans.length), ...(NOTES_OF_CHARACTER[image] ?? [])],
    fixes: meant === undefined ? [] : [{ title, edits }],
  });
}

function describeCharacter(image: string, meant: string | undefined): string {
  if (meant === "") return "statements end with their line, without `;`";
  if (meant !== undefined) return `\`${image}\` means nothing here: write \`${meant}\``;
  if (!/\p{L}/u.test(image)) return `${printable(image)} means nothing here`;
  return `\`${image}\` is not allowed in a name: names are made of a-z, A-Z, 0-9 and _`;
}

function spanOfError(file: string, error: ILexingError): Span {
  const start: Position = {
    offset: error.offset,
    line: error.line ?? 1,
    column: error.column ?? 1,
  };
  const end = {
    offset: start.offset + error.length,
    line: start.line,
    column: start.column + error.length,
  };
  return { file, start, end };
}

/** Control characters by their number, everything else as it is. */
function printable(image: string): string {
  const shown = image.length > 12 ? `${image.slice(0, 12)}...` : image;
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (!/[\u0000-\u001f\u007f-\u009f]/.test(shown)) return `\`${shown}\``;
  return (
    "the control character " +
    `U+${shown.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`
  );
}
