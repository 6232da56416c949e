import type { DiagnosticCode } from "../diagnostics/catalogue/index.js";
import { createDiagnostic, type DiagnosticDetails } from "../diagnostics/create.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";

/** Collects diagnostics. What is analysed twice (a model for two recipes) is reported once. */
export class Reporter {
  private readonly found = new Map<string, Diagnostic>();
  private errors = 0;

  /** Errors so far, repeated ones included: whoever sees it grow knows that something went wrong in between. */
  get errorCount(): number {
    return this.errors;
  }

  report(code: DiagnosticCode, details: DiagnosticDetails): undefined {
    const { start, end } = details.span;
    const key = `${code} ${start.offset} ${end.offset}`;
    const diagnostic = createDiagnostic(code, details);
    if (diagnostic.severity === "error") this.errors++;
    if (!this.found.has(key)) this.found.set(key, diagnostic);
    return undefined;
  }

  /** All diagnostics so far, in the order of the text. */
  get diagnostics(): readonly Diagnostic[] {
    return [...this.found.values()].sort(
      (a, b) => a.primary.span.start.offset - b.primary.span.start.offset,
    );
  }
}
