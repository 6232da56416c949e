/** Values of more axes than an image, which few layers take. */
import type { Span } from "../../grammar/ast.js";
import type { Environment } from "../calls/environment.js";
import type { Label } from "../diagnostics/diagnostic.js";
import { formatShape, isWide, type Shape } from "../ir/shape.js";
import { wideNotes } from "../layers/wide-layers.js";

interface Reading {
  /** What reads the value, as a message begins: "`residual`". */
  readonly reader: string;
  /** What it does with values, if it reads none. */
  readonly takes?: string;
  readonly span: Span;
  readonly related?: readonly Label[];
}

/** Reports the first value of more than four axes. False after a report. */
export function refuseWide(
  shapes: readonly (Shape | undefined)[],
  { reader, takes = "takes values of at most 4 axes but receives", ...place }: Reading,
  { reporter }: Pick<Environment, "reporter">,
): boolean {
  const wide = shapes.find((shape) => shape && isWide(shape));
  if (!wide) return true;
  reporter.report("NET2054", {
    message: `${reader} ${takes} ${formatShape(wide)}`,
    label: `has ${wide.length} axes`,
    notes: wideNotes(),
    ...place,
  });
  return false;
}
