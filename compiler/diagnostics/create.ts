import type { Span } from "../../grammar/ast.js";
import type { DiagnosticCode } from "./catalogue/index.js";
import { catalogue } from "./catalogue/index.js";
import type { Diagnostic, Fix, Label } from "./diagnostic.js";

export interface DiagnosticDetails {
  readonly message: string;
  /** The place that is underlined with `^^^`. */
  readonly span: Span;
  /** The text after the underline; none if left out. */
  readonly label?: string;
  readonly related?: readonly Label[];
  readonly notes?: readonly string[];
  readonly fixes?: readonly Fix[];
}

/** A diagnostic of the given code, with the severity that the catalogue gives it. */
export function createDiagnostic(code: DiagnosticCode, details: DiagnosticDetails): Diagnostic {
  return {
    code,
    severity: catalogue[code].severity ?? "error",
    message: details.message,
    primary: { span: details.span, message: details.label ?? "" },
    related: details.related ?? [],
    notes: details.notes ?? [],
    fixes: details.fixes ?? [],
  };
}
