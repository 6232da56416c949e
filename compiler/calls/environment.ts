import type { Occurrences } from "./occurrences.js";
import type { Reporter } from "./reporter.js";
import type { Scope } from "./scope.js";

/** Where expressions are evaluated, and where their mistakes go. */
export interface Environment {
  readonly scope: Scope;
  readonly reporter: Reporter;
  /** Remembers what names mean, for editors. */
  readonly names: Occurrences;
}
