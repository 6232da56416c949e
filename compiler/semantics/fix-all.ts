import type { Diagnostic, Edit, Fix } from "../diagnostics/diagnostic.js";
import { safeFix } from "../diagnostics/safe-fixes.js";
import type { Analysis } from "./analysis.js";
import { applyEdits } from "./check-fixes.js";

/** A fix as it was applied. */
export interface AppliedFix {
  readonly diagnostic: Diagnostic;
  readonly fix: Fix;
}

export interface FixedText {
  readonly text: string;
  /** In the order in which they were applied; the places are those in the text of their round. */
  readonly applied: readonly AppliedFix[];
  /** The analysis of `text`. */
  readonly analysis: Analysis;
}

/**
 * A mended text shows mistakes that were hidden before. More rounds than these no person's text
 * needs.
 */
const MOST_ROUNDS = 50;

/**
 * Applies safe fixes to a file's text, and those to what comes to light then, until there are none.
 */
export function applySafeFixes(
  text: string,
  file: string,
  analyzeText: (text: string) => Analysis,
): FixedText {
  let fixed: FixedText = { text, applied: [], analysis: analyzeText(text) };
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const chosen = chooseFixes(fixed.analysis.diagnostics, file);
    if (chosen.length === 0) break;
    const edited = applyEdits(
      fixed.text,
      chosen.flatMap(({ fix }) => fix.edits),
    );
    fixed = {
      text: edited,
      applied: [...fixed.applied, ...chosen],
      analysis: analyzeText(edited),
    };
  }
  return fixed;
}

/** The safe fixes of one file, without those that overlap an earlier one. */
export function chooseFixes(
  diagnostics: readonly Diagnostic[],
  file: string,
): readonly AppliedFix[] {
  const chosen: AppliedFix[] = [];
  for (const diagnostic of diagnostics) {
    const fix = safeFix(diagnostic);
    if (!fix?.edits.every(({ span }) => span.file === file)) continue;
    const taken = chosen.flatMap((each) => each.fix.edits);
    if (!fix.edits.some((edit) => taken.some((other) => overlap(edit, other)))) {
      chosen.push({ diagnostic, fix });
    }
  }
  return chosen;
}

/**
 * Edits that touch count, too: the order of two insertions at one place is undefined.
 */
function overlap({ span: a }: Edit, { span: b }: Edit): boolean {
  return a.start.offset <= b.end.offset && b.start.offset <= a.end.offset;
}
