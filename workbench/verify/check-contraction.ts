/** Convolutions and their gradients: some elements, each summed in double precision. */
import type { AnyNode, Value } from "../../compiler/ir/graph.js";
import type { ReferenceContext, Tensor } from "../../compiler/ops/op.js";
import { asImageShape, resolveShape, tensorSize } from "../../compiler/ops/tensors.js";
import { STORING, type Comparison } from "./comparison.js";
import { contractionShapes, sampler, type ContractionNode } from "./contraction-samples.js";
import { finisher, type NodeValues } from "./node-values.js";
import { samplePlaces } from "./places.js";
import { toleranceOf, type SampledSum } from "./sums.js";

export function isContraction(node: AnyNode): node is AnyNode & ContractionNode {
  return (
    node.kind === "convolution" ||
    node.kind === "convolutionInputGradient" ||
    node.kind === "convolutionWeightGradient"
  );
}

interface ContractionSums {
  readonly shape: readonly number[];
  /** Products of an element. */
  readonly products: number;
  readonly at: (index: number) => SampledSum;
}

/** A node's result, element by element. */
export function contractionSums(
  node: AnyNode & ContractionNode,
  inputs: NodeValues["inputs"],
): ContractionSums {
  const operands = inputs.slice(0, 2) as [Tensor, Tensor];
  const shape = resolveShape(resultShape(node), operands[0].shape[0]!);
  return { shape, ...sampler(node, operands, contractionShapes(node, operands, shape)) };
}

const resultShape = (node: AnyNode & ContractionNode) =>
  node.kind === "convolutionWeightGradient"
    ? node.attributes.weightShape
    : asImageShape(node.outputs[0]!.shape);

export function checkContraction(
  node: AnyNode & ContractionNode,
  { inputs, outputs, read }: NodeValues,
  context: ReferenceContext,
  comparison: Comparison,
): void {
  const { shape, products, at } = contractionSums(node, inputs);
  const finish = finisher(node.fusion?.epilogue, read, shape, context);
  const [output] = node.outputs as [Value];
  for (const index of samplePlaces(tensorSize(shape), products)) {
    const sum = at(index);
    const expected = finish(index, sum.value);
    const slack = toleranceOf(sum);
    const swing = Math.abs(finish(index, sum.value + slack) - finish(index, sum.value - slack));
    const tolerance = slack + swing + STORING * Math.abs(expected);
    const actual = outputs[0]!.data[index]!;
    comparison.add({ value: output.name, index, expected, actual, tolerance }, output);
  }
}
