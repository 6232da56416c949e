import { type FoldingRange, FoldingRangeKind } from "vscode-languageserver";
import type { ClassifiedToken } from "../../grammar/index.js";
import type { SpecDocument } from "../document.js";

/**
 * What can be folded: the text between brackets on several lines, and runs of comments.
 * Broken text folds as well.
 */
export function foldingRanges({ tokens }: SpecDocument): FoldingRange[] {
  return [...bracketRanges(tokens), ...commentRanges(tokens)];
}

const CLOSERS: ReadonlyMap<string, string> = new Map([
  ["{", "}"],
  ["(", ")"],
  ["[", "]"],
]);

function bracketRanges(tokens: readonly ClassifiedToken[]): readonly FoldingRange[] {
  const open: ClassifiedToken[] = [];
  const ranges: FoldingRange[] = [];
  for (const token of tokens.filter(({ kind }) => kind === "bracket")) {
    if (CLOSERS.has(token.text)) {
      open.push(token);
      continue;
    }
    const partner = open.findLastIndex(({ text }) => CLOSERS.get(text) === token.text);
    if (partner < 0) continue;
    const [opener] = open.splice(partner);
    for (const range of rangeBetween(opener!, token)) ranges.push(range);
  }
  return ranges;
}

/** The closing bracket's line stays visible. */
function rangeBetween(opener: ClassifiedToken, closer: ClassifiedToken): readonly FoldingRange[] {
  const [startLine, endLine] = [opener.span.start.line - 1, closer.span.start.line - 2];
  return endLine > startLine ? [{ startLine, endLine }] : [];
}

function commentRanges(tokens: readonly ClassifiedToken[]): readonly FoldingRange[] {
  const ranges: { first: number; last: number }[] = [];
  tokens.forEach(({ kind, span }, index) => {
    const { line } = span.start;
    const isAlone = tokens[index - 1]?.span.end.line !== line;
    if ((kind !== "comment" && kind !== "documentation") || !isAlone) return;
    const run = ranges.at(-1);
    if (run?.last === line - 1) run.last = line;
    else ranges.push({ first: line, last: line });
  });
  return ranges
    .filter(({ first, last }) => last > first)
    .map(({ first, last }) => ({
      startLine: first - 1,
      endLine: last - 1,
      kind: FoldingRangeKind.Comment,
    }));
}
