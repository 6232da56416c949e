import type { Diagnostic, Edit, Fix } from "../diagnostics/diagnostic.js";

/** A spec with very many mistakes is not to wait for all their fixes. */
const MOST_CHECKS = 40;

/** What all checks together may cost, in characters and layers that are read. */
const MOST_WORK = 100_000;

/** A text, and how many layers its models have in all: what analyzing it costs. */
export interface AnalyzedText {
  readonly file: string;
  readonly text: string;
  readonly layers: number;
}

/**
 * Keeps only the fixes that help: each is applied to the text, which is analyzed again; it is
 * offered only if its diagnostic is gone then and no new one has come. A name in place of one that
 * does not exist may bring to light other mistakes that were hidden behind it, but where the value
 * of a recipe's setting is then of the wrong kind, the name was not what was meant: `ema = 0.9`
 * does not mean `average = 0.9`.
 */
export function keepHelpfulFixes(
  { file, text, layers }: AnalyzedText,
  diagnostics: readonly Diagnostic[],
  analyzeAgain: (text: string) => readonly Diagnostic[],
): readonly Diagnostic[] {
  const before = countByKey(diagnostics);
  const most = Math.min(MOST_CHECKS, Math.floor(MOST_WORK / (text.length + 10 * layers + 1)));
  let checks = 0;
  const helps = (diagnostic: Diagnostic, fix: Fix): boolean => {
    // The parser has checked its own, and a repaired text may well show mistakes that were hidden
    // before.
    if (diagnostic.code.startsWith("NET0")) return true;
    // Other specs use an imported file as well.
    if (fix.edits.some(({ span }) => span.file !== file)) return false;
    if (checks++ >= most) return false;
    const found = analyzeAgain(applyEdits(text, fix.edits));
    const after = countByKey(found);
    const isGone = (after.get(keyOf(diagnostic)) ?? 0) < before.get(keyOf(diagnostic))!;
    const isNew = (each: Diagnostic) => after.get(keyOf(each))! > (before.get(keyOf(each)) ?? 0);
    if (fix.isRename && diagnostic.code !== UNKNOWN_SETTING) return isGone;
    if (fix.isRename) return isGone && !found.some((each) => isNew(each) && isOfValue(each, fix));
    return isGone && !found.some(isNew);
  };
  return diagnostics.map((diagnostic) => ({
    ...diagnostic,
    fixes: diagnostic.fixes.filter((fix) => helps(diagnostic, fix)),
  }));
}

/** Of a recipe. Arguments and layers that differ often take other values, which is to be seen. */
const UNKNOWN_SETTING = "NET3003";

/** Whether what a fix renames is given a value of the wrong kind. */
const isOfValue = ({ code, primary }: Diagnostic, { edits }: Fix): boolean =>
  code === "NET1009" && edits.some((edit) => edit.span.start.line === primary.span.start.line);

/** What makes two diagnostics the same although the text between them has changed. */
function keyOf({ code, message }: Diagnostic): string {
  return `${code} ${message}`;
}

function countByKey(diagnostics: readonly Diagnostic[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const diagnostic of diagnostics) {
    const key = keyOf(diagnostic);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** The text with edits applied, which must not overlap. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const backwards = edits.toSorted((a, b) => b.span.start.offset - a.span.start.offset);
  return backwards.reduce(
    (result, { span, newText }) =>
      result.slice(0, span.start.offset) + newText + result.slice(span.end.offset),
    text,
  );
}
