import type { CatalogueEntry } from "./entry.js";
import { exports } from "./export.js";
import { internal } from "./internal.js";
import { limits } from "./limits.js";
import { names } from "./names.js";
import { shapes } from "./shapes.js";
import { syntax } from "./syntax.js";
import { training } from "./training.js";

const families = {
  ...syntax,
  ...names,
  ...shapes,
  ...training,
  ...limits,
  ...exports,
  ...internal,
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
