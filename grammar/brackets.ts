import type { IToken, TokenType } from "chevrotain";
import { endOf, is, missingToken, spanAfter, spanOf } from "./place.js";
import type { SyntaxProblem } from "./problem.js";
import { insert, problem, replace } from "./problem.js";
import {
  And,
  Arrow,
  As,
  Colon,
  Comma,
  Const,
  Equals,
  Integer,
  Float,
  LeftBrace,
  LeftBracket,
  LeftParenthesis,
  Minus,
  Model,
  Name,
  NewLine,
  Not,
  Or,
  Percent,
  Plus,
  RightBrace,
  RightBracket,
  RightParenthesis,
  Slash,
  Star,
  StringLiteral,
} from "./tokens.js";

export interface Balanced {
  readonly tokens: IToken[];
  readonly problems: readonly SyntaxProblem[];
}

/**
 * Gives every round and square bracket its partner, and drops the line ends between partners. The
 * parser then never has to guess how far a mistake reaches: whatever is wrong stays within its
 * statement.
 */
export function balanceBrackets(tokens: readonly IToken[], file: string): Balanced {
  return new BracketBalancer(tokens, file).run();
}

interface OpenBracket {
  readonly token: IToken;
  /** What is between the brackets: "the arguments of `conv`". */
  readonly contents: string;
}

const closerOf = new Map<TokenType, TokenType>([
  [LeftParenthesis, RightParenthesis],
  [LeftBracket, RightBracket],
]);

/** No bracket reaches across these. */
const boundaries = [Arrow, As, Const, Model, LeftBrace, RightBrace];

/** After these a line cannot end within brackets. */
const joiners = [Comma, Equals, Colon, Plus, Minus, Star, Slash, Percent, And, Or, Not];

class BracketBalancer {
  private readonly output: IToken[] = [];
  private readonly problems: SyntaxProblem[] = [];
  private readonly open: OpenBracket[] = [];

  constructor(
    private readonly tokens: readonly IToken[],
    private readonly file: string,
  ) {}

  run(): Balanced {
    this.tokens.forEach((token, index) => this.take(token, index));
    this.closeAll();
    return { tokens: this.output, problems: this.problems };
  }

  private take(token: IToken, index: number): void {
    if (is(token, NewLine) && this.continuesAfter(index)) return;
    if (is(token, NewLine, ...boundaries)) this.closeAll();
    if (is(token, RightParenthesis, RightBracket)) return this.takeCloser(token);
    if (is(token, LeftParenthesis, LeftBracket)) {
      this.open.push({ token, contents: describeContents(this.output, token) });
    }
    this.output.push(token);
  }

  private takeCloser(token: IToken): void {
    const partner = this.open.findLastIndex(({ token: open }) => is(token, closerFor(open)));
    if (partner >= 0) {
      while (this.open.length > partner + 1) this.closeInnermost();
      this.open.pop();
      this.output.push(token);
    } else if (this.open.length > 0) {
      this.replaceCloser(token);
    } else {
      this.reportCloser(token);
    }
  }

  private closeAll(): void {
    while (this.open.length > 0) this.closeInnermost();
  }

  /** Closes the innermost bracket where its end is missing. */
  private closeInnermost(): void {
    const open = this.open.pop();
    if (!open) return;
    const last = this.output.at(-1);
    const span = spanAfter(this.file, last);
    const closer = closerFor(open.token);
    this.problems.push(
      problem("NET0002", span, `expected ${closer.LABEL} to close ${open.contents}`, {
        label: `expected ${closer.LABEL}`,
        related: [{ span: spanOf(this.file, open.token), message: "opened here" }],
        fixes: [insert(this.file, span.start, imageOf(closer), `insert ${closer.LABEL}`)],
      }),
    );
    this.output.push(missingToken(closer, last));
  }

  /** `conv(64]`: a bracket of the wrong kind. */
  private replaceCloser(token: IToken): void {
    const open = this.open.pop();
    if (!open) return;
    const closer = closerFor(open.token);
    const span = spanOf(this.file, token);
    const expected = `expected ${closer.LABEL}`;
    const message = `${expected} to close ${open.contents}, but found \`${token.image}\``;
    this.problems.push(
      problem("NET0002", span, message, {
        label: expected,
        related: [{ span: spanOf(this.file, open.token), message: "opened here" }],
        fixes: [replace(span, imageOf(closer), `write ${closer.LABEL}`)],
      }),
    );
    this.output.push(missingToken(closer, this.output.at(-1)));
  }

  /**
   * A closing bracket where none is open: one too many, or its partner was forgotten after a name.
   */
  private reportCloser(token: IToken): void {
    const span = spanOf(this.file, token);
    const call = this.callWithoutParenthesis(token);
    if (call === undefined) {
      this.problems.push(
        problem("NET0003", span, `\`${token.image}\` closes nothing: no bracket is open here`, {
          fixes: [replace(span, "", `remove \`${token.image}\``)],
        }),
      );
      return;
    }
    const name = this.output[call] as IToken;
    const message = `expected \`(\` after \`${name.image}\`, to open its arguments`;
    this.problems.push(
      problem("NET0003", spanAfter(this.file, name), message, {
        label: "expected `(`",
        related: [{ span, message: "closed here" }],
        fixes: [insert(this.file, endOf(name), "(", "insert `(`")],
      }),
    );
    this.output.splice(call + 1, 0, missingToken(LeftParenthesis, name));
    this.output.push(token);
  }

  /**
   * The last name on this line that is followed by an argument right away: `conv 64, kernel=3)`.
   */
  private callWithoutParenthesis(closer: IToken): number | undefined {
    if (!is(closer, RightParenthesis)) return undefined;
    for (let at = this.output.length - 2; at >= 0; at--) {
      const [token, next, afterNext] = [this.output[at], this.output[at + 1], this.output[at + 2]];
      if (is(token, NewLine, Arrow, LeftBrace, RightBrace)) return undefined;
      if (!is(token, Name)) continue;
      if (is(next, Integer, Float, StringLiteral)) return at;
      if (is(next, Name) && is(afterNext, Equals, Comma, RightParenthesis)) return at;
    }
    return undefined;
  }

  /**
   * Whether a line end is between partners: the brackets that are open are closed further down.
   */
  private continuesAfter(index: number): boolean {
    if (this.open.length === 0) return false;
    const isJoined = is(this.output.at(-1), LeftParenthesis, LeftBracket, ...joiners);
    if (isJoined && !startsSetting(this.tokens, index)) return true;
    return this.isClosedAfter(index);
  }

  private isClosedAfter(index: number): boolean {
    let depth = this.open.length;
    for (let at = index + 1; at < this.tokens.length; at++) {
      const token = this.tokens[at] as IToken;
      if (is(token, ...boundaries)) return false;
      if (is(token, LeftParenthesis, LeftBracket)) depth++;
      if (is(token, RightParenthesis, RightBracket)) depth--;
      if (depth === 0) return true;
    }
    return false;
  }
}

/** Whether `name =` follows a line end. */
function startsSetting(tokens: readonly IToken[], index: number): boolean {
  return is(tokens[index + 1], Name) && is(tokens[index + 2], Equals);
}

function closerFor(open: IToken): TokenType {
  return closerOf.get(open.tokenType) ?? RightParenthesis;
}

function imageOf(bracket: TokenType): string {
  return bracket === RightParenthesis ? ")" : "]";
}

/** What an opening bracket starts, from the tokens before it. */
function describeContents(before: readonly IToken[], opening: IToken): string {
  const [beforePrevious, previous] = [before.at(-2), before.at(-1)];
  if (!is(previous, Name)) return is(opening, LeftBracket) ? "the list" : "the group";
  if (is(opening, LeftBracket)) return `the dimensions of \`${previous?.image}\``;
  if (is(beforePrevious, Model)) return `the parameters of \`${previous?.image}\``;
  return `the arguments of \`${previous?.image}\``;
}
