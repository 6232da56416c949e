import type { Span } from "../../grammar/ast.js";
import type { Occurrence } from "./analysis.js";

/** Collects names and what they stand for. What is analysed twice (a model for two recipes) counts once. */
export class Occurrences {
  private readonly found = new Map<string, Occurrence>();

  define(kind: Occurrence["kind"], name: string, span: Span): void {
    this.add({ kind, name, span, definition: span });
  }

  use(kind: Occurrence["kind"], name: string, span: Span, definition: Span): void {
    this.add({ kind, name, span, definition });
  }

  /** Those in one file, in the order of the text. */
  in(file: string): readonly Occurrence[] {
    return [...this.found.values()]
      .filter(({ span }) => span.file === file)
      .sort((a, b) => a.span.start.offset - b.span.start.offset);
  }

  private add(occurrence: Occurrence): void {
    const { file, start } = occurrence.span;
    const key = `${file} ${start.offset}`;
    if (!this.found.has(key)) this.found.set(key, occurrence);
  }
}
