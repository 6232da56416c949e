import type { BatchRange } from "../../program/program.js";
import type { AnyNode, Node } from "../ir/graph.js";
import { ConvolutionGeometry } from "../layout/geometry.js";
import type { ContractionProblem, PartialSums } from "../schedules/index.js";

export type ContractionNode =
  Node<"convolution"> | Node<"convolutionInputGradient"> | Node<"convolutionWeightGradient">;

export const isContraction = (node: AnyNode): node is AnyNode & ContractionNode =>
  node.kind === "convolution" ||
  node.kind === "convolutionInputGradient" ||
  node.kind === "convolutionWeightGradient";

/** What a schedule was chosen for, so that another may be measured in its place. */
export interface ContractionChoice {
  readonly problem: ContractionProblem;
  readonly sums: PartialSums;
  /** The batches for which it was to be chosen; all if absent. */
  readonly batches?: BatchRange;
}

/** Of the convolution that a node computes, or a gradient of. */
export function geometryOf({ kind, inputs, outputs, attributes }: ContractionNode) {
  const shapes = {
    convolution: () => [inputs[0]!.shape, outputs[0]!.shape] as const,
    convolutionInputGradient: () => [outputs[0]!.shape, inputs[0]!.shape] as const,
    convolutionWeightGradient: () => [inputs[0]!.shape, inputs[1]!.shape] as const,
  };
  const [from, to] = shapes[kind]();
  return new ConvolutionGeometry(attributes, from, to);
}
