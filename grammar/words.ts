import type { IToken, TokenType } from "chevrotain";
import type { Balanced } from "./brackets.js";
import { editDistance, isClose } from "./distance.js";
import { is, retyped, spanOf } from "./place.js";
import type { SyntaxProblem } from "./problem.js";
import { problem, replace } from "./problem.js";
import {
  Arrow,
  As,
  Block,
  Branch,
  Colon,
  Comma,
  Concat,
  Const,
  Data,
  Dot,
  Else,
  Equals,
  Float,
  Fn,
  For,
  From,
  Identifier,
  If,
  Import,
  In,
  Init,
  Input,
  Integer,
  LeftBrace,
  LeftParenthesis,
  Let,
  Loss,
  Metric,
  MisplacedWord,
  Model,
  Name,
  NewLine,
  Output,
  Parameter,
  Repeat,
  Residual,
  RightBrace,
  RightBracket,
  RightParenthesis,
  Share,
  Skip,
  Split,
  StringLiteral,
  Target,
  Train,
} from "./tokens.js";

/** A word that is a keyword in some places, and which those are. */
interface Keyword {
  readonly word: string;
  readonly type: TokenType;
  /** Whether what follows fits the keyword, so that the word is one. */
  readonly fits: (next: IToken | undefined, afterNext: IToken | undefined) => boolean;
  /** The same for a misspelled word, which needs better evidence; `fits` if left out. */
  readonly fitsMisspelled?: Keyword["fits"];
  /** Whether arguments may be between the word and what follows. */
  readonly takesArguments?: true;
}

const followedByName: Keyword["fits"] = (next) => is(next, Name);
const followedByBlock: Keyword["fits"] = (next) => is(next, LeftBrace);
/** `input image:`: the sign behind the name tells a misspelled keyword from a layer. */
const followedByNameAnd =
  (...signs: readonly TokenType[]): Keyword["fits"] =>
  (next, afterNext) =>
    is(next, Name) && is(afterNext, ...signs);

const declarationKeywords: readonly Keyword[] = [
  { word: "const", type: Const, fits: () => true, fitsMisspelled: followedByNameAnd(Equals) },
  { word: "model", type: Model, fits: () => true, fitsMisspelled: followedByName },
  { word: "block", type: Block, fits: () => true, fitsMisspelled: followedByName },
  { word: "import", type: Import, fits: () => true, fitsMisspelled: followedByBlock },
  { word: "data", type: Data, fits: () => true, fitsMisspelled: followedByName },
  { word: "train", type: Train, fits: () => true, fitsMisspelled: followedByName },
  { word: "fn", type: Fn, fits: () => true, fitsMisspelled: () => false },
];

/** Without its braces, a misspelled `if` looks like layers side by side, which is reported. */
const followedByCondition: Keyword["fits"] = (next) =>
  next !== undefined && !is(next, Arrow, As, NewLine, LeftBrace, RightBrace);

/** Within a model, a layer or a section may have a keyword's name: `loss -> relu`. */
const noLayerOrSection: Keyword["fits"] = (next) =>
  next !== undefined && !is(next, Arrow, As, NewLine, LeftParenthesis, LeftBrace, RightBrace);

const member = (word: string, type: TokenType, sign: TokenType): Keyword => ({
  word,
  type,
  fits: noLayerOrSection,
  fitsMisspelled: followedByNameAnd(sign),
});

/** What starts a statement of a model, a section or a block. */
const statementKeywords: readonly Keyword[] = [
  member("input", Input, Colon),
  member("target", Target, Colon),
  {
    word: "output",
    type: Output,
    fits: followedByNameAnd(NewLine, Comma, Dot, RightBrace),
    fitsMisspelled: () => false,
  },
  member("loss", Loss, LeftParenthesis),
  member("metric", Metric, Equals),
  { word: "share", type: Share, fits: followedByNameAnd(LeftBrace) },
  { word: "let", type: Let, fits: followedByName, fitsMisspelled: followedByNameAnd(Equals) },
  { word: "parameter", type: Parameter, fits: followedByNameAnd(Colon) },
  {
    word: "repeat",
    type: Repeat,
    fits: (next) => is(next, Integer, Float, Name, LeftParenthesis),
    fitsMisspelled: (next, afterNext) => is(next, Integer, Name) && is(afterNext, LeftBrace),
  },
  { word: "if", type: If, fits: followedByCondition, fitsMisspelled: () => false },
  { word: "for", type: For, fits: () => true, fitsMisspelled: followedByNameAnd(In) },
  // A misspelled `from` looks like two layers side by side, which is reported as that.
  {
    word: "from",
    type: From,
    fits: followedByName,
    fitsMisspelled: followedByNameAnd(NewLine, Arrow),
  },
];

const join = (word: string, type: TokenType): Keyword => ({
  word,
  type,
  fits: followedByBlock,
  fitsMisspelled: () => false,
  takesArguments: true,
});

/** Keywords that join branches. A misspelled one could also be the name of a section. */
const joinKeywords: readonly Keyword[] = [
  join("residual", Residual),
  join("concat", Concat),
  join("split", Split),
];

const branchKeyword: Keyword = {
  word: "branch",
  type: Branch,
  fits: (next, afterNext) => is(next, LeftBrace) || (is(next, Name) && is(afterNext, LeftBrace)),
};

/** Declarations in a model: a mistake, but neither layers nor sections. */
const misplacedKeywords: readonly Keyword[] = [
  { word: "block", type: Block, fits: followedByName, fitsMisspelled: () => false },
  { word: "import", type: Import, fits: followedByBlock, fitsMisspelled: () => false },
  { word: "fn", type: Fn, fits: followedByNameAnd(LeftParenthesis), fitsMisspelled: () => false },
];

/** A mistake, but no section. */
const branchElsewhere: Keyword = { ...branchKeyword, fitsMisspelled: () => false };

const followedByWay: Keyword["fits"] = (next) => is(next, LeftBrace) || next?.image === "auto";
const skipAfterResidual: Keyword = {
  word: "skip",
  type: Skip,
  fitsMisspelled: followedByWay,
  fits: (next) => is(next, LeftBrace, Name),
};
/** A mistake, but neither a layer nor a section. */
const skipElsewhere: Keyword = {
  word: "skip",
  type: Skip,
  fits: followedByWay,
  fitsMisspelled: () => false,
};

const elseAfterIf: Keyword = {
  word: "else",
  type: Else,
  fits: (next) => is(next, LeftBrace) || next?.image === "if",
};
/** A mistake, but no section. */
const elseElsewhere: Keyword = { ...elseAfterIf, fitsMisspelled: () => false };

const ifAfterElse: Keyword = { word: "if", type: If, fits: () => true };

const initOfParameter: Keyword = { word: "init", type: Init, fits: followedByName };

const fromAfterArrow: Keyword = {
  word: "from",
  type: From,
  fits: followedByName,
  fitsMisspelled: () => false,
};
const fromAfterImport: Keyword = {
  word: "from",
  type: From,
  fits: (next) => is(next, StringLiteral),
};

/**
 * Finds the keywords: words such as `train` and `loss` are keywords only where they start a
 * statement, and misspelled keywords are read as what was meant. `const` and `model` elsewhere must
 * not look like the start of a declaration, or the parser would continue there after a mistake.
 */
export function findKeywords(tokens: readonly IToken[], file: string): Balanced {
  return new KeywordFinder(tokens, file).run();
}

class KeywordFinder {
  private readonly output: IToken[] = [];
  private readonly problems: SyntaxProblem[] = [];
  /** What each open block belongs to, the outermost first: the last keyword before its brace. */
  private readonly open: (TokenType | undefined)[] = [];
  /** The last keyword of the current statement. */
  private header: TokenType | undefined;
  /** What the block that was closed last belongs to. */
  private closed: TokenType | undefined;
  /** The keyword of the current declaration. */
  private declaration: TokenType | undefined;

  constructor(
    private readonly tokens: readonly IToken[],
    private readonly file: string,
  ) {}

  run(): Balanced {
    this.tokens.forEach((token, index) => {
      this.trackBlocks(token);
      this.output.push(this.read(token, index));
    });
    return { tokens: this.output, problems: this.problems };
  }

  private trackBlocks(token: IToken): void {
    if (is(token, LeftBrace)) {
      this.open.push(this.header);
      this.header = undefined;
    } else if (is(token, RightBrace)) {
      this.closed = this.open.pop();
      this.header = undefined;
    } else if (is(token, NewLine)) {
      this.header = undefined;
    }
  }

  private read(token: IToken, index: number): IToken {
    const startsStatement = this.startsStatement(index);
    const isMisplaced = this.open.length > 0 || !startsStatement;
    if (isMisplaced && is(token, Const, Model)) return retyped(token, MisplacedWord);
    const keyword = this.keywordAt(token, index, startsStatement);
    if (this.open.length === 0 && startsStatement && !is(token, RightBrace)) {
      this.declaration = keyword?.type ?? token.tokenType;
    }
    if (!keyword) return token;
    this.header = keyword.type;
    if (keyword === skipAfterResidual || keyword === elseAfterIf) this.dropLineEnd();
    if (token.image !== keyword.word) this.problems.push(misspelled(this.file, token, keyword));
    return retyped(token, keyword.type);
  }

  private startsStatement(index: number): boolean {
    return index === 0 || is(this.tokens[index - 1], NewLine, LeftBrace, RightBrace);
  }

  private keywordAt(token: IToken, index: number, startsStatement: boolean): Keyword | undefined {
    const [next, afterNext] = this.following(index + 1);
    if (is(token, For)) return statementKeywords.find(({ type }) => type === For);
    if (!is(token, Identifier)) return undefined;
    const candidates = this.candidates(index, startsStatement);
    const exact = candidates.find(({ word }) => word === token.image);
    if (exact) {
      const behind = exact.takesArguments ? this.following(this.behindArguments(index + 1)) : [];
      const [first = next, second = afterNext] = behind;
      return exact.fits(first, second) ? exact : undefined;
    }
    const written = token.image.toLowerCase();
    return candidates
      .filter(({ fits, fitsMisspelled = fits }) => fitsMisspelled(next, afterNext))
      .filter(({ word }) => isClose(written, word))
      .sort((a, b) => editDistance(written, a.word) - editDistance(written, b.word))[0];
  }

  private following(index: number): readonly [IToken | undefined, IToken | undefined] {
    return [this.tokens[index], this.tokens[index + 1]];
  }

  /** The place behind arguments in parentheses that start at a place. */
  private behindArguments(start: number): number {
    if (!is(this.tokens[start], LeftParenthesis)) return start;
    let depth = 0;
    for (let index = start; index < this.tokens.length; index++) {
      const token = this.tokens[index];
      if (is(token, LeftBrace, RightBrace)) return index;
      if (is(token, LeftParenthesis)) depth++;
      if (is(token, RightParenthesis) && --depth === 0) return index + 1;
    }
    return this.tokens.length;
  }

  /** The keywords that are allowed at a place. */
  private candidates(index: number, startsStatement: boolean): readonly Keyword[] {
    if (this.open.length === 0) return this.declarationCandidates(index, startsStatement);
    if (this.declaration !== Model && this.declaration !== Block) return [];
    const before = this.tokens[index - 1];
    if (this.header === Parameter && is(before, RightBracket)) return [initOfParameter];
    if (this.header === Else && before?.image === "else") return [ifAfterElse];
    if (!startsStatement) return is(before, Arrow) ? [...joinKeywords, fromAfterArrow] : [];
    if ([Concat, Split].includes(this.open.at(-1)!)) return [branchKeyword];
    return [
      ...[this.skipCandidate(), this.elseCandidate(), branchElsewhere],
      ...[...misplacedKeywords, ...joinKeywords, ...statementKeywords],
    ];
  }

  private declarationCandidates(index: number, startsStatement: boolean): readonly Keyword[] {
    const isImported = this.declaration === Import && is(this.tokens[index - 1], RightBrace);
    if (isImported) return [fromAfterImport];
    return startsStatement ? declarationKeywords : [];
  }

  private skipCandidate(): Keyword {
    const before = this.output.findLast((token) => !is(token, NewLine));
    return is(before, RightBrace) && this.closed === Residual ? skipAfterResidual : skipElsewhere;
  }

  private elseCandidate(): Keyword {
    const before = this.output.findLast((token) => !is(token, NewLine));
    const isAfterIf = is(before, RightBrace) && (this.closed === If || this.closed === Else);
    return isAfterIf ? elseAfterIf : elseElsewhere;
  }

  /** `skip` may be on the line below its `residual`, and `else` on that below its `if`. */
  private dropLineEnd(): void {
    while (is(this.output.at(-1), NewLine)) this.output.pop();
  }
}

function misspelled(file: string, token: IToken, { word }: Keyword): SyntaxProblem {
  const span = spanOf(file, token);
  return problem(
    "NET0007",
    span,
    `there is no keyword \`${token.image}\`; did you mean \`${word}\`?`,
    {
      fixes: [replace(span, word, `write \`${word}\``)],
    },
  );
}
