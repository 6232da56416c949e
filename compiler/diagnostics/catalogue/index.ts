import type { CatalogueEntry } from "./entry.js";
import { EXPORTS } from "./export.js";
import { INTERNAL } from "./internal.js";
import { LIMITS } from "./limits.js";
import { NAMES } from "./names.js";
import { SHAPES } from "./shapes.js";
import { SYNTAX } from "./syntax.js";
import { TRAINING } from "./training.js";

const families = {
  ...SYNTAX,
  ...NAMES,
  ...SHAPES,
  ...TRAINING,
  ...LIMITS,
  ...EXPORTS,
  ...INTERNAL,
};

export type DiagnosticCode = keyof typeof families;

/** Every code that netc can report. A code's entry is in exactly one family file. */
export const catalogue: Readonly<Record<DiagnosticCode, CatalogueEntry>> = families;

/** All codes, in order. */
export const diagnosticCodes = (Object.keys(families) as DiagnosticCode[]).sort();

/** True for a code of the catalogue. */
export function isDiagnosticCode(code: string): code is DiagnosticCode {
  return Object.hasOwn(families, code);
}
