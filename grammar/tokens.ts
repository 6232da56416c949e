import type { TokenType } from "chevrotain";
import { createToken, Lexer } from "chevrotain";

/**
 * The tokens of the language. Structural words are reserved only where the grammar needs it:
 * `input`, `loss` and the like are plain identifiers here, and `words.ts` makes keywords of them
 * where they start a statement or, `residual`, `concat` and `split`, where their block follows.
 */

/**
 * Every token but braces and line ends: what may be skipped within a statement that makes no sense.
 */
export const Plain = createToken({ name: "Plain", pattern: Lexer.NA });

/** Whatever can be a name: identifiers, and the words that are reserved in one place only. */
export const Name = createToken({
  name: "Name",
  label: "a name",
  pattern: Lexer.NA,
  categories: Plain,
});

export const Identifier = createToken({
  name: "Identifier",
  pattern: /[A-Za-z_][A-Za-z_0-9]*/,
  categories: Name,
});

function word(name: string, pattern: RegExp, category: TokenType, label: string): TokenType {
  return createToken({ name, pattern, categories: category, label, longer_alt: Identifier });
}

// Words that are reserved everywhere.
export const Const = word("Const", /const/, Plain, "`const`");
export const Model = word("Model", /model/, Plain, "`model`");
export const As = word("As", /as/, Plain, "`as`");
export const For = word("For", /for/, Plain, "`for`");
export const True = word("True", /true/, Plain, "`true`");
export const False = word("False", /false/, Plain, "`false`");
export const And = word("And", /and/, Plain, "`and`");
export const Or = word("Or", /or/, Plain, "`or`");
export const Not = word("Not", /not/, Plain, "`not`");
/** `const` and `model` where no declaration can start. */
export const MisplacedWord = createToken({
  name: "MisplacedWord",
  label: "a reserved word",
  pattern: Lexer.NA,
  categories: Plain,
});

// Words that are reserved in one place of a header only.
export const In = word("In", /in/, Name, "`in`");
export const Of = word("Of", /of/, Name, "`of`");
export const On = word("On", /on/, Name, "`on`");

/** A keyword where it starts a statement, an identifier elsewhere. */
function statementWord(name: string): TokenType {
  const label = `\`${name.toLowerCase()}\``;
  return createToken({ name, label, pattern: Lexer.NA, categories: Plain });
}

export const Data = statementWord("Data");
export const Train = statementWord("Train");
export const Input = statementWord("Input");
export const Target = statementWord("Target");
export const Output = statementWord("Output");
export const Loss = statementWord("Loss");
export const Metric = statementWord("Metric");
export const Import = statementWord("Import");
export const Block = statementWord("Block");
export const From = statementWord("From");
export const Share = statementWord("Share");
export const Repeat = statementWord("Repeat");
export const Residual = statementWord("Residual");
export const Skip = statementWord("Skip");
export const Concat = statementWord("Concat");
export const Split = statementWord("Split");
export const Branch = statementWord("Branch");
export const If = statementWord("If");
export const Else = statementWord("Else");
export const Let = statementWord("Let");
export const Parameter = statementWord("Parameter");
/** Between a parameter's type and its initializer. */
export const Init = statementWord("Init");
export const Fn = statementWord("Fn");

// Literals

export const Integer = createToken({
  name: "Integer",
  label: "a number",
  pattern: /\d+(?![\w])(?!\.\d)(?!\.(?![.\w]))/,
  categories: Plain,
});

/** `0.5`, `.5`, `1.`, `1e-3`; but `0..10` is a range. */
export const Float = createToken({
  name: "Float",
  label: "a number",
  pattern: /(?:(?:\d+\.\d+|\.\d+)(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\d+\.(?!\.))(?![\w]|\.\d)/,
  categories: Plain,
});

/** Whatever else starts with a digit: `12abc`, `1_000`, `1.2.3`, `0x10`. */
export const MalformedNumber = createToken({
  name: "MalformedNumber",
  pattern: /\d\w*(?:\.\w+)*|\.\d\w*(?:\.\w+)*/,
  categories: Float,
});

export const StringLiteral = createToken({
  name: "StringLiteral",
  label: "a string",
  pattern: /"(?:[^"\\\r\n]|\\[^\r\n])*"/,
  categories: Plain,
});

export const SingleQuotedString = createToken({
  name: "SingleQuotedString",
  pattern: /'[^'\r\n]*'/,
  categories: StringLiteral,
});

/**
 * Taken to end where the next bracket or comma is, so that the rest of the line keeps its meaning.
 */
export const UnterminatedString = createToken({
  name: "UnterminatedString",
  pattern: /["'][^"'\r\n,()[\]{}]*/,
  categories: StringLiteral,
});

// Signs

function sign(name: string, pattern: RegExp, image: string): TokenType {
  return createToken({ name, pattern, label: `\`${image}\``, categories: Plain });
}

function foreignWord(name: string, pattern: RegExp, meant: TokenType): TokenType {
  return createToken({ name, pattern, categories: meant });
}

export const Arrow = sign("Arrow", /->/, "->");
export const Range = sign("Range", /\.\./, "..");
export const Dot = sign("Dot", /\./, ".");
export const Comma = sign("Comma", /,/, ",");
export const Colon = sign("Colon", /:/, ":");
export const Equals = sign("Equals", /=/, "=");
/** `==` and the like, whose image tells which. */
export const Comparison = createToken({
  name: "Comparison",
  pattern: /==|!=|<=|>=|<|>/,
  label: "a comparison",
  categories: Plain,
});
/** `===` and the like, which other languages write. */
export const ForeignComparison = createToken({
  name: "ForeignComparison",
  pattern: /[!=]==|<>/,
  categories: Comparison,
});
/** What other languages and PyTorch's masks write for `and`, `or` and `not`. */
export const ForeignAnd = foreignWord("ForeignAnd", /&&?/, And);
export const ForeignOr = foreignWord("ForeignOr", /\|\|?/, Or);
export const ForeignNot = foreignWord("ForeignNot", /!(?!=)|~/, Not);
export const Plus = sign("Plus", /\+/, "+");
export const Minus = sign("Minus", /-/, "-");
export const Star = sign("Star", /\*/, "*");
export const Slash = sign("Slash", /\//, "/");
export const Percent = sign("Percent", /%/, "%");
/** Python writes `**`, which means the same. */
export const Caret = sign("Caret", /\^|\*\*/, "^");
export const LeftParenthesis = sign("LeftParenthesis", /\(/, "(");
export const RightParenthesis = sign("RightParenthesis", /\)/, ")");
export const LeftBracket = sign("LeftBracket", /\[/, "[");
export const RightBracket = sign("RightBracket", /\]/, "]");
export const LeftBrace = createToken({ name: "LeftBrace", pattern: /\{/, label: "`{`" });
export const RightBrace = createToken({ name: "RightBrace", pattern: /\}/, label: "`}`" });
export const NewLine = createToken({
  name: "NewLine",
  pattern: /\r\n|\n|\r/,
  label: "a new line",
  line_breaks: true,
});

// What is not part of the token stream

/**
 * Blanks, tabs, the byte order mark, and the odd blanks that come with text copied from a web page.
 */
const Blank = createToken({
  name: "Blank",
  pattern: /[ \t\f\v\u00a0\u2000-\u200b\u202f\u3000\ufeff]+/,
  group: Lexer.SKIPPED,
});
const DocumentationComment = createToken({
  name: "DocumentationComment",
  pattern: /\/\/\/(?!\/)[^\r\n]*/,
  group: "documentation",
});
const Comment = createToken({ name: "Comment", pattern: /\/\/[^\r\n]*/, group: "comments" });
/** `#` and block comments, as other languages have them. */
const ForeignComment = createToken({
  name: "ForeignComment",
  pattern: /#[^\r\n]*|\/\*(?:.|[\r\n])*?\*\//,
  group: "foreignComments",
  line_breaks: true,
});

/** In the lexer's order: the first that matches is taken. */
export const lexedTokens: TokenType[] = [
  ...[Blank, NewLine, DocumentationComment, Comment, ForeignComment],
  ...[Const, Model, As, For, True, False, And, Or, Not, In, Of, On, Identifier],
  ...[Integer, Float, Range, MalformedNumber],
  ...[StringLiteral, SingleQuotedString, UnterminatedString],
  ...[Arrow, ForeignComparison, Comparison, ForeignAnd, ForeignOr, ForeignNot],
  ...[Dot, Comma, Colon, Equals, Plus, Minus, Caret, Star, Slash, Percent],
  ...[LeftParenthesis, RightParenthesis, LeftBracket, RightBracket, LeftBrace, RightBrace],
];

/** The words that are keywords where they start a statement or its block follows. */
export const statementWords = [
  ...[Data, Train, Import, Block, Fn],
  ...[Input, Target, Output, Loss, Metric, Share, Let, Parameter, Init],
  ...[From, Repeat, If, Else, Residual, Skip, Concat, Split, Branch],
];

export const allTokens: TokenType[] = [
  Plain,
  Name,
  MisplacedWord,
  ...lexedTokens,
  ...statementWords,
];
