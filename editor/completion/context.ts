import type { ClassifiedToken } from "../../grammar/index.js";
import type { SpecDocument } from "../document.js";

/** A bracket that is open at the cursor, or the file as a whole. */
export interface Frame {
  readonly opener: "" | "{" | "(" | "[";
  /** The text before a brace: `for width in [64, 128]`. Empty for other brackets. */
  readonly header: readonly ClassifiedToken[];
  /** The name right before a parenthesis. */
  readonly callee: ClassifiedToken | undefined;
  /**
   * The statement at the cursor in a block, all so far in brackets; blocks in it are left out but
   * for their `}`.
   */
  readonly statement: ClassifiedToken[];
  /** The same, including the text in closed brackets. */
  readonly whole: ClassifiedToken[];
}

/**
 * The context of a cursor. Works on tokens alone, since the text around a cursor is seldom whole.
 */
export interface CursorContext {
  /** The word before the cursor, which is being written. */
  readonly word: string;
  /** From the word's start to its end behind the cursor. */
  readonly start: number;
  readonly end: number;
  /** From the file to the innermost open bracket. */
  readonly frames: readonly [Frame, ...Frame[]];
  /** The tokens before the word. */
  readonly before: readonly ClassifiedToken[];
}

/** Undefined in comments, strings and numbers, where nothing is to be completed. */
export function contextAt(document: SpecDocument, offset: number): CursorContext | undefined {
  const at = document.tokens.find(
    ({ span }) => span.start.offset < offset && offset <= span.end.offset,
  );
  if (at && isClosedTo(at, offset)) return undefined;
  const isWord = at && ["name", "keyword", "boolean"].includes(at.kind);
  const [start, end] = isWord ? [at.span.start.offset, at.span.end.offset] : [offset, offset];
  const before = document.tokens.filter(
    ({ span, kind }) => span.end.offset <= start && kind !== "comment" && kind !== "documentation",
  );
  const line = document.source.positionAt(start).line + 1;
  const frames = new FrameReader().read(before, line);
  return { word: document.text.slice(start, offset), start, end, frames, before };
}

function isClosedTo({ kind, span, text }: ClassifiedToken, offset: number): boolean {
  if (kind === "comment" || kind === "documentation" || kind === "number") return true;
  const isOpen = text.length < 2 || !text.endsWith('"');
  return kind === "string" && (isOpen || offset < span.end.offset);
}

const OPENERS = ["(", "[", "{"];
/** A line that ends with one of these continues below. */
const JOINERS = ["->", ",", "=", ":", "+", "-", "*", "/", "%", "(", "["];
/** No parenthesis reaches across these. */
const BOUNDARIES = ["->", "as", "const", "model", "{", "}"];
/** What continues the statement of a `}` before it. */
const AFTER_BLOCK = ["->", "as", "skip", "else", "from"];

class FrameReader {
  private readonly frames: [Frame, ...Frame[]] = [frame("")];
  private last: ClassifiedToken | undefined;

  /** @param line where the cursor is */
  read(tokens: readonly ClassifiedToken[], line: number): readonly [Frame, ...Frame[]] {
    for (const token of tokens) {
      if (this.isOnNewLine(token.span.start.line)) this.endLine(token.text);
      this.take(token);
      this.last = token;
    }
    if (this.isOnNewLine(line)) this.endLine("");
    return this.frames;
  }

  private get top(): Frame {
    return this.frames.at(-1)!;
  }

  private isOnNewLine(line: number): boolean {
    return this.last !== undefined && line > this.last.span.end.line;
  }

  private endLine(next: string): void {
    const goesOn = JOINERS.includes(this.last!.text) || next === "->" || next === "+";
    const closes = next === ")" || next === "]";
    if (goesOn || closes) return;
    this.leaveBrackets();
    if (next !== "{" && next !== "skip" && next !== "else") this.endStatement();
  }

  private take(token: ClassifiedToken): void {
    const { text } = token;
    if (BOUNDARIES.includes(text)) this.leaveBrackets();
    if (this.last?.text === "}" && !AFTER_BLOCK.includes(text)) this.endStatement();
    if (OPENERS.includes(text)) return this.open(token);
    if (text === ")" || text === "]") this.close(text === ")" ? "(" : "[");
    if (text === "}" && this.frames.length > 1) this.frames.pop();
    this.top.statement.push(token);
    this.top.whole.push(token);
  }

  private open(token: ClassifiedToken): void {
    const opener = token.text as Frame["opener"];
    const { statement } = this.top;
    const before = statement.at(-1);
    const isName =
      before?.kind === "name" || /^(?:split|residual|concat)$/.test(before?.text ?? "");
    const isCall = opener === "(" && before === this.last && isName;
    const header = opener === "{" ? [...this.top.whole] : [];
    statement.push(token);
    this.top.whole.push(token);
    this.frames.push({ ...frame(opener), header, callee: isCall ? before : undefined });
  }

  private close(opener: Frame["opener"]): void {
    const partner = this.frames.findLastIndex((each) => each.opener === opener);
    if (partner > 0 && this.frames.slice(partner).every((each) => each.opener !== "{")) {
      const inside = this.frames.splice(partner).flatMap(({ whole }) => whole);
      for (const token of inside) this.top.whole.push(token);
    }
  }

  private leaveBrackets(): void {
    while (this.top.opener === "(" || this.top.opener === "[") this.frames.pop();
  }

  private endStatement(): void {
    if (this.top.opener !== "{" && this.top.opener !== "") return;
    this.top.statement.length = 0;
    this.top.whole.length = 0;
  }
}

function frame(opener: Frame["opener"]): Frame {
  return { opener, header: [], callee: undefined, statement: [], whole: [] };
}
