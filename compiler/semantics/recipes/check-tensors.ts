import type { Span } from "../../../grammar/ast.js";
import type { Environment } from "../../calls/environment.js";
import { listNames } from "../../calls/suggestion.js";
import type { AnalyzedModel } from "../analysis.js";

/** Sources of data give one image and one label. False after a report. */
export function checkOneTensor(
  { name, inputs, network }: AnalyzedModel,
  span: Span,
  { reporter }: Environment,
): boolean {
  const targets = network?.targets ?? [];
  if (inputs.length <= 1 && targets.length <= 1) return true;
  const [noun, ports] = inputs.length > 1 ? ["inputs", inputs] : ["targets", targets];
  reporter.report("NET3024", {
    message: `data give one image and one label, but model \`${name}\` has the ${noun} ${listNames(ports.map((port) => port.name))}`,
    span,
    notes: [
      "compile the model and call `step` with tensors by name, or give `fit` batches of them",
    ],
  });
  return false;
}
