import type { Declaration, Position, Spec } from "./ast.js";
import { isDivision } from "./division.js";
import { balanceBlocks } from "./blocks.js";
import type { Balanced } from "./brackets.js";
import { balanceBrackets } from "./brackets.js";
import { build } from "./build.js";
import { type ClassifiedToken, classifyTokens } from "./classify.js";
import type { LexedText } from "./lexer.js";
import { lex } from "./lexer.js";
import { joinLines } from "./lines.js";
import { lostNames } from "./lost-names.js";
import { parseTokens } from "./parser.js";
import { findTooDeep } from "./nesting.js";
import { is } from "./place.js";
import type { SyntaxFix, SyntaxProblem } from "./problem.js";
import { problem } from "./problem.js";
import { checkText } from "./text.js";
import { NewLine } from "./tokens.js";
import { explainException } from "./wording.js";
import { findKeywords } from "./words.js";

export type * from "./ast.js";
export type { ClassifiedToken, TokenKind } from "./classify.js";
export type { SyntaxFix, SyntaxProblem } from "./problem.js";
export { editDistance, isClose } from "./distance.js";

export interface ParsedSpec {
  /** As much of the tree as makes sense. */
  readonly spec: Spec;
  /** In the order of the text, one for each line at most, and a hundred in all. */
  readonly problems: readonly SyntaxProblem[];
}

/** Each fix costs a parse to try: the later problems of a broken file are shown without. */
const MOST_TRIED = 20;
/** Characters that are parsed in all to try fixes: of a long file, few are tried. */
const MOST_PARSED = 400_000;
/** A file with more problems than this is not a spec: it is not read further and gets no fixes. */
const MOST_REPORTED = 100;

/**
 * Parses a spec. Never throws because of the text: what is wrong with it is in `problems`, each
 * with only those fixes that were tried and leave fewer problems.
 *
 * @param file the name that spans and messages give the text
 */
export function parse(text: string, file: string): ParsedSpec {
  const parsed = parseOnce(text, file);
  const count = parsed.problems.length;
  const affordable = Math.min(MOST_TRIED, Math.floor(MOST_PARSED / (text.length + 1)));
  const tried = count > MOST_REPORTED ? 0 : affordable;
  const problems = parsed.problems.slice(0, MOST_REPORTED).map((found, index) => ({
    ...found,
    fixes: (index < tried ? found.fixes : []).filter((fix) =>
      helps(found, parsed.problems, parseOnce(applyFix(text, fix), file).problems),
    ),
  }));
  return { spec: parsed.spec, problems };
}

/**
 * Whether a fix leaves fewer problems. A sign that means nothing may have hidden another problem of
 * its line.
 */
function helps(
  { code, message }: SyntaxProblem,
  before: readonly SyntaxProblem[],
  after: readonly SyntaxProblem[],
): boolean {
  if (after.length < before.length) return true;
  const isGone = !after.some((left) => left.message === message);
  return code === "NET0006" && isGone && after.length === before.length;
}

/** A text's tokens in order, whatever is wrong with it: for highlighting and completion. */
export function classify(text: string, file: string): readonly ClassifiedToken[] {
  const lexed = lex(text, file);
  return classifyTokens(lexed, repair(lexed, file).tokens, file);
}

function parseOnce(text: string, file: string): ParsedSpec {
  const end = endOfText(text);
  const span = { file, start: { offset: 0, line: 1, column: 1 }, end };
  const empty: Spec = { kind: "spec", file, declarations: [], lost: [], span };
  const unreadable = checkText(text, file);
  if (unreadable) return { spec: empty, problems: [unreadable] };
  const lexed = lex(text, file);
  if (lexed.problems.length === 0 && lexed.tokens.every((token) => is(token, NewLine))) {
    return { spec: empty, problems: [emptySpec(empty)] };
  }
  return parseLexed(lexed, empty);
}

function parseLexed(lexed: LexedText, empty: Spec): ParsedSpec {
  const { file } = empty;
  const repaired = repair(lexed, file);
  const tooDeep = findTooDeep(repaired.tokens, file);
  if (tooDeep) return { spec: empty, problems: [tooDeep] };
  const { tree, exceptions } = parseTokens(repaired.tokens);
  const built = build(tree, lexed, file);
  const grammatical = [
    ...exceptions.map((exception) => explainException(file, exception)),
    ...built.problems,
  ];
  // A comment that looks like a division hides the bracket behind it.
  const hiding = lexed.problems.filter(isDivision);
  const others = lexed.problems.filter((each) => !isDivision(each));
  const problems = onePerLine([hiding, [...others, ...repaired.problems], grammatical]);
  const declarations = built.declarations.map((declaration) => withHeader(declaration, problems));
  const lost = problems.length > 0 ? lostNames(lexed.tokens, problems) : [];
  return { spec: { ...empty, declarations, lost }, problems };
}

/**
 * Notes of a block whose header is broken that its parameters are not to be relied on: its uses are
 * not mistakes, too.
 */
function withHeader(declaration: Declaration, problems: readonly SyntaxProblem[]): Declaration {
  if (declaration.kind !== "block") return declaration;
  const { line } = declaration.name.span.start;
  const isBroken = problems.some(({ span }) => span.start.line === line);
  return isBroken ? { ...declaration, hasBrokenHeader: true } : declaration;
}

/** The passes between lexer and parser, each of which makes the tokens more regular. */
function repair(lexed: LexedText, file: string): Balanced {
  const brackets = balanceBrackets(lexed.tokens, file);
  const blocks = balanceBlocks(brackets.tokens, file);
  const words = findKeywords(joinLines(blocks.tokens), file);
  const problems = [...brackets.problems, ...blocks.problems, ...words.problems];
  return { tokens: [...words.tokens], problems };
}

/**
 * What the repairs found is sure; what the parser says about a line that was repaired, or says
 * second about any line, is mostly the same mistake again.
 *
 * @param groups of problems, the surest first
 */
function onePerLine(groups: readonly (readonly SyntaxProblem[])[]): SyntaxProblem[] {
  const lines = new Set<number>();
  const kept = groups.flatMap(inOrder).filter(({ span }) => {
    if (lines.has(span.start.line)) return false;
    lines.add(span.start.line);
    return true;
  });
  return inOrder(kept);
}

function inOrder(problems: readonly SyntaxProblem[]): SyntaxProblem[] {
  return problems.toSorted((a, b) => a.span.start.offset - b.span.start.offset);
}

function applyFix(text: string, fix: SyntaxFix): string {
  const lastFirst = fix.edits.toSorted((a, b) => b.span.start.offset - a.span.start.offset);
  return lastFirst.reduce(
    (changed, { span, newText }) =>
      changed.slice(0, span.start.offset) + newText + changed.slice(span.end.offset),
    text,
  );
}

function emptySpec({ span }: Spec): SyntaxProblem {
  const place = { ...span, end: span.start };
  return problem("NET0014", place, "the spec is empty: it declares nothing", {
    notes: ["a spec starts with a model: `model Net { ... }`"],
  });
}

function endOfText(text: string): Position {
  const lines = text.split(/\r\n|\n|\r/);
  return {
    offset: text.length,
    line: lines.length,
    column: (lines.at(-1)?.length ?? 0) + 1,
  };
}
