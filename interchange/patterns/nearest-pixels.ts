/** Nearest upsampling by the numbers of pixels: rows, then columns. */
import type { ForeignNode } from "../foreign-graph.js";
import type { Recognized } from "./activations.js";
import type { Terms } from "./terms.js";

export function nearestPixels(node: ForeignNode, terms: Terms): Recognized | undefined {
  const tall = node.operator === "Gather" ? terms.maker(node.inputs[0], "Gather") : undefined;
  const [x, rows] = tall?.inputs ?? [];
  const columns = node.inputs[1];
  const isOfImage = node.attributes["axis"] === 3 && tall?.attributes["axis"] === 2;
  if (!isOfImage || x === undefined || rows === undefined || columns === undefined) {
    return undefined;
  }
  if (!terms.constant(rows) || !terms.constant(columns)) return undefined;
  return { operator: "NearestPixels", inputs: [x, rows, columns] };
}
