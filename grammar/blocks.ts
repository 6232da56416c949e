import type { IToken } from "chevrotain";
import type { Balanced } from "./brackets.js";
import { endOf, is, missingToken, spanAfter, spanOf } from "./place.js";
import type { SyntaxProblem } from "./problem.js";
import { insert, problem, replace } from "./problem.js";
import {
  Arrow,
  Colon,
  Const,
  Equals,
  For,
  LeftBrace,
  Model,
  Name,
  NewLine,
  RightBrace,
} from "./tokens.js";

/**
 * Gives every brace its partner. Where braces do not balance, the indentation tells what was meant,
 * as it does to a reader; text without indentation is closed at its end.
 */
export function balanceBlocks(tokens: readonly IToken[], file: string): Balanced {
  const opened = tokens.filter((token) => is(token, LeftBrace)).length;
  const closed = tokens.filter((token) => is(token, RightBrace)).length;
  if (opened === closed && !dipsBelowZero(tokens)) return { tokens: [...tokens], problems: [] };
  return new BlockBalancer(tokens, file, opened - closed).run();
}

function dipsBelowZero(tokens: readonly IToken[]): boolean {
  let depth = 0;
  return tokens.some((token) => {
    if (is(token, LeftBrace)) depth++;
    if (is(token, RightBrace)) depth--;
    return depth < 0;
  });
}

interface OpenBlock {
  readonly brace: IToken;
  /** What the brace opens: "`features`". */
  readonly name: string;
  /** The column of the first token on the brace's line. */
  readonly column: number;
  /** Whether what it holds is indented; if not, indentation says nothing. */
  isIndented?: boolean;
}

class BlockBalancer {
  private readonly output: IToken[] = [];
  private readonly problems: SyntaxProblem[] = [];
  private readonly open: OpenBlock[] = [];
  /** The first tokens of the current line and of the line before. */
  private line: IToken | undefined;
  private previousLine: IToken | undefined;

  /** @param excess how many braces are opened more than closed; negative if fewer */
  constructor(
    private readonly tokens: readonly IToken[],
    private readonly file: string,
    private excess: number,
  ) {}

  run(): Balanced {
    for (const token of this.tokens) this.take(token);
    while (this.open.length > 0) this.closeInnermost();
    return { tokens: this.output, problems: this.problems };
  }

  private take(token: IToken): void {
    if (!is(token, NewLine) && startsLine(this.output)) this.startLine(token);
    if (this.isDoubled(token)) return this.reportExcess(token);
    if (is(token, LeftBrace)) this.openBlock(token);
    if (is(token, RightBrace) && !this.closes(token)) return this.reportExcess(token);
    this.output.push(token);
  }

  private startLine(token: IToken): void {
    [this.previousLine, this.line] = [this.line, token];
    const innermost = this.open.at(-1);
    if (innermost) innermost.isIndented ??= columnOf(token) > innermost.column;
    if (this.excess > 0) this.closeBlocksLeftOpen(token);
    if (this.excess < 0) this.openBlockLeftOut(token);
  }

  /** `{ {` or `} }` where there are too many of them. */
  private isDoubled(token: IToken): boolean {
    const previous = this.output.at(-1);
    if (is(token, LeftBrace)) return this.excess > 0 && is(previous, LeftBrace);
    return is(token, RightBrace) && this.excess < 0 && is(previous, RightBrace);
  }

  /** A line that is indented no deeper than the line of an open brace is outside that block. */
  private closeBlocksLeftOpen(token: IToken): void {
    while (this.excess > 0 && this.isOutside(token)) {
      this.closeInnermost();
      this.excess--;
    }
  }

  private isOutside(token: IToken): boolean {
    const innermost = this.open.at(-1);
    if (!innermost) return false;
    if (is(token, Const, Model)) return true;
    if (!innermost.isIndented) return false;
    const column = columnOf(token);
    return is(token, RightBrace) ? column < innermost.column : column <= innermost.column;
  }

  /** A line deeper than a header before it, without a brace between. */
  private openBlockLeftOut(token: IToken): void {
    const header = this.previousLine;
    const last = this.output.findLast((before) => !is(before, NewLine));
    if (!header || !last || is(last, LeftBrace, RightBrace) || is(token, Arrow, RightBrace)) return;
    if (columnOf(token) <= columnOf(header) || !opensBlock(lastLine(this.output))) return;
    const name = describeHeader(this.output);
    const span = spanAfter(this.file, last);
    this.problems.push(
      problem("NET0003", span, `expected \`{\` to open ${name}`, {
        label: "expected `{`",
        fixes: [insert(this.file, span.start, " {", "insert `{`")],
      }),
    );
    const brace = missingToken(LeftBrace, last);
    while (is(this.output.at(-1), NewLine)) this.output.pop();
    this.open.push({ brace, name, column: columnOf(header), isIndented: true });
    this.output.push(brace);
    this.excess++;
  }

  private openBlock(token: IToken): void {
    const column = columnOf(this.line ?? token);
    this.open.push({ brace: token, name: describeHeader(this.output), column });
  }

  /** Whether a closing brace has a partner; if so, that block is closed. */
  private closes(token: IToken): boolean {
    const innermost = this.open.at(-1);
    if (!innermost) return false;
    const isTooDeep = this.excess < 0 && this.line === token && columnOf(token) > innermost.column;
    if (isTooDeep && innermost.isIndented) return false;
    this.open.pop();
    return true;
  }

  private reportExcess(token: IToken): void {
    const span = spanOf(this.file, token);
    const isCloser = is(token, RightBrace);
    this.excess += isCloser ? 1 : -1;
    const message = isCloser
      ? "`}` closes nothing: no block is open here"
      : "this `{` opens nothing: a block is open already";
    this.problems.push(
      problem("NET0003", span, message, {
        fixes: [replace(span, "", `remove \`${token.image}\``)],
      }),
    );
  }

  private closeInnermost(): void {
    const block = this.open.pop();
    if (!block) return;
    while (is(this.output.at(-1), NewLine)) this.output.pop();
    const last = this.output.at(-1);
    const span = spanAfter(this.file, last);
    const newText = `\n${" ".repeat(block.column - 1)}}`;
    this.problems.push(
      problem("NET0002", span, `expected \`}\` to close ${block.name}`, {
        label: "expected `}`",
        related: [{ span: spanOf(this.file, block.brace), message: "opened here" }],
        fixes: last ? [insert(this.file, endOf(last), newText, "insert `}`")] : [],
      }),
    );
    this.output.push(missingToken(RightBrace, last), missingToken(NewLine, last));
  }
}

function startsLine(output: readonly IToken[]): boolean {
  return output.length === 0 || is(output.at(-1), NewLine);
}

function columnOf(token: IToken): number {
  return token.startColumn ?? 1;
}

/** The tokens of the last line that has any. */
function lastLine(before: readonly IToken[]): IToken[] {
  const end = before.findLastIndex((token) => !is(token, NewLine)) + 1;
  const line = before.slice(0, end);
  return line.slice(line.findLastIndex((token) => is(token, NewLine, LeftBrace, RightBrace)) + 1);
}

/** Words whose block follows at the end of a line. */
const JOIN_WORDS = /^(?:residual|skip|concat|branch)$/;

/**
 * Whether a line looks like one that opens a block: a name alone, or two words without a sign
 * between.
 */
function opensBlock(line: readonly IToken[]): boolean {
  const [first, second, third] = line;
  if (is(first, Model, For) || /^(?:block|repeat)$/.test(first?.image ?? "")) return true;
  if (JOIN_WORDS.test(line.at(-1)?.image ?? "")) return true;
  return (
    is(first, Name) && (second === undefined || (is(second, Name) && !is(third, Colon, Equals)))
  );
}

/** What the block is called: the first names of its line, "`model AlexNet`" or "`features`". */
function describeHeader(before: readonly IToken[]): string {
  const [first, second] = fromJoin(lastLine(before));
  const name = is(second, Name) ? ` ${second?.image}` : "";
  return first ? `\`${first.image}${name}\`` : "the block";
}

/** `conv(64) -> residual`: the block belongs to the join. */
function fromJoin(line: readonly IToken[]): readonly IToken[] {
  const join = line.findLastIndex(({ image }) => JOIN_WORDS.test(image));
  return join < 0 ? line : line.slice(join);
}
