import type { SyntaxProblem } from "../../grammar/index.js";
import type { DiagnosticCode } from "./catalogue/index.js";
import { createDiagnostic } from "./create.js";
import type { Diagnostic } from "./diagnostic.js";

/**
 * A problem of the parser as a diagnostic. Its code is one of the catalogue's syntax family; a test
 * sees to that.
 */
export function diagnosticFromSyntax(problem: SyntaxProblem): Diagnostic {
  return createDiagnostic(problem.code as DiagnosticCode, problem);
}
