import type { Span } from "../../grammar/ast.js";
import { type Constant, formatConstant } from "./constant.js";

/** A name in the text and what it means: definition (then both spans are the same) or use. */
export interface Occurrence {
  readonly name: string;
  readonly kind:
    | "constant"
    | "parameter"
    | "variable"
    | "block"
    | "function"
    | "model"
    | "data"
    | "train"
    | "share"
    | "section"
    | "value"
    | "input"
    | "target";
  readonly span: Span;
  /** Where the name is defined, maybe in an imported file. */
  readonly definition: Span;
  /**
   * The values that a constant, parameter or variable takes, as messages show them: one each turn
   * of a loop or use of a block.
   */
  readonly values: readonly string[];
}

type Kind = Occurrence["kind"];

/** More values of one name than these say nothing to a reader. */
const MOST_VALUES = 24;

/**
 * Collects names and what they mean. What is analyzed twice (a model for two recipes) counts
 * once.
 */
export class Occurrences {
  private readonly found = new Map<string, Omit<Occurrence, "values">>();
  private readonly values = new Map<string, Set<string>>();

  define(kind: Kind, name: string, span: Span): void {
    this.add({ kind, name, span, definition: span });
  }

  use(kind: Kind, name: string, span: Span, definition: Span): void {
    this.add({ kind, name, span, definition });
  }

  /** Remembers a value that the name defined at `definition` takes. */
  take(definition: Span, value: Constant | undefined): void {
    if (!value) return;
    const key = keyOf(definition);
    const values = this.values.get(key) ?? new Set();
    if (values.size < MOST_VALUES) values.add(formatConstant(value));
    this.values.set(key, values);
  }

  /** Those in one file, in the order of the text. */
  in(file: string): readonly Occurrence[] {
    return [...this.found.values()]
      .filter(({ span }) => span.file === file)
      .map((found) => ({ ...found, values: this.valuesOf(found.definition) }))
      .sort((a, b) => a.span.start.offset - b.span.start.offset);
  }

  private valuesOf(definition: Span): readonly string[] {
    return [...(this.values.get(keyOf(definition)) ?? [])];
  }

  private add(occurrence: Omit<Occurrence, "values">): void {
    const key = keyOf(occurrence.span);
    if (!this.found.has(key)) this.found.set(key, occurrence);
  }
}

function keyOf({ file, start }: Span): string {
  return `${file} ${start.offset}`;
}
