import type { Severity } from "../diagnostic.js";

/** Everything that is fixed about one code: its page in `netc explain` is printed from this. */
export interface CatalogueEntry {
  /** A few words, without a full stop: "a bracket is not closed". */
  readonly title: string;
  /** What the rule is and why, in markdown: one to three short paragraphs. */
  readonly explanation: string;
  /** The smallest spec text, or part of one, that gives this diagnostic. */
  readonly wrong: string;
  /** The same text put right. */
  readonly right: string;
  /** "error" unless it says otherwise. */
  readonly severity?: Severity;
  /** Whether it is about text that has no effect, which editors show faded. */
  readonly isUnnecessary?: true;
  /** Why no spec on its own can give this diagnostic; such a code has no folder in specs/errors. */
  readonly withoutSpec?: string;
}

/** One file of the catalogue: the entries of a range of codes. */
export type CatalogueFamily = Readonly<Record<`NET${number}`, CatalogueEntry>>;
