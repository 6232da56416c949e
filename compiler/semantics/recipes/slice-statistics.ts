/** Batch normalization of features over a slice of one example, in which nothing varies. */
import type { Span } from "../../../grammar/ast.js";
import type { DiagnosticDetails } from "../../diagnostics/create.js";
import type { Graph, Value } from "../../ir/graph.js";
import { imageShape } from "../../ir/shape.js";

/** How a batch is trained. */
export interface BatchSlices {
  readonly batch: number;
  readonly slices: number;
}

/** Whether a layer of the network normalizes over the examples of a slice in training. */
export const hasBatchStatistics = (graph: Graph): boolean =>
  graph.nodes.some(({ kind }) => kind === "channelStatistics");

/**
 * What is wrong where a slice has one example and a layer normalizes features over it; undefined
 * where nothing is.
 */
export function singleExampleProblem(
  { batch, slices }: BatchSlices,
  graph: Graph | undefined,
  span: Span,
): DiagnosticDetails | undefined {
  const normalization = graph?.nodes.find(
    (node) => node.kind === "channelStatistics" && hasOnePixel(node.inputs[0]!.shape),
  );
  if (!normalization || Math.ceil(batch / slices) > 1) return undefined;
  const division = slices > 1 ? `batch ${batch} / ${slices} slices = ` : "";
  const { name, span: layer } = normalization.origin;
  return {
    message:
      `batchnorm \`${name}\` normalizes each feature over ${division}1 example, ` +
      "so its output is constant",
    span,
    related: [{ span: layer, message: "mean and variance of 1 number" }],
    notes: ["the variance of 1 number is 0: train with at least 2 examples in a slice"],
  };
}

function hasOnePixel(shape: Value["shape"]): boolean {
  const { height, width } = imageShape(shape);
  return height * width === 1;
}
