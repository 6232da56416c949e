/**
 * Which fixes may be applied without asking. A fix that was checked removes its mistake, but that
 * alone does not make the spec what was meant: another size removes it, too, and is another
 * network. A fix is safe if its diagnostic offers no other one and it keeps the meaning: the only
 * punctuation that is possible, a name with a typing error (typing-error.ts), or a call that means
 * the same as another framework's (alias.ts), translated where that is needed.
 */
import type { DiagnosticCode } from "./catalogue/index.js";
import type { Diagnostic, Fix } from "./diagnostic.js";

/**
 * Mistakes of syntax that can be mended in one way, and what may be inserted there. Brackets,
 * arrows and commas are not among them: where one is missing, or one too many, a word may just as
 * well be missing or one too many.
 */
const PUNCTUATION: { readonly [Code in DiagnosticCode]?: RegExp } = {
  NET0001: /^ ?[=:]$/,
  NET0005: /./, // `1_000`, `0x10`, `5epochs`
  NET0006: /^/, // signs of other languages and of word processors
  NET0007: /./, // a misspelled keyword
};

/** The fix of a diagnostic that may be applied without asking. */
export function safeFix({ code, fixes }: Diagnostic): Fix | undefined {
  const [fix, rival] = fixes;
  if (!fix || rival) return undefined;
  return fix.isCertain || isPunctuation(code as DiagnosticCode, fix) ? fix : undefined;
}

function isPunctuation(code: DiagnosticCode, { edits }: Fix): boolean {
  const allowed = PUNCTUATION[code];
  return allowed !== undefined && edits.every(({ newText }) => allowed.test(newText));
}
