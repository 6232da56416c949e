import type { AnyNode, ConvolutionAttributes, Node, Pair, Value } from "../ir/graph.js";
import { imageShape, type Shape } from "../ir/shape.js";

/** A convolution's sizes, in one place for layouts, parameters and kernels. */
export class ConvolutionGeometry {
  readonly inputs: number;
  readonly outputs: number;
  readonly inputSize: Pair;
  readonly outputSize: Pair;

  constructor(
    readonly attributes: ConvolutionAttributes,
    input: Shape,
    output: Shape,
  ) {
    const [from, to] = [imageShape(input), imageShape(output)];
    this.inputs = from.channels;
    this.outputs = to.channels;
    this.inputSize = [from.height, from.width];
    this.outputSize = [to.height, to.width];
  }

  get groupInputs(): number {
    return this.inputs / this.attributes.groups;
  }

  get groupOutputs(): number {
    return this.outputs / this.attributes.groups;
  }

  /** Whether a single window covers the whole input: a matrix product, such as a linear layer. */
  get coversInput(): boolean {
    const { kernel, padding, dilation, groups } = this.attributes;
    const isWhole = kernel[0] === this.inputSize[0] && kernel[1] === this.inputSize[1];
    if (groups > 1 || !isWhole) return false;
    const isUnpadded = Object.values(padding).every((size) => size === 0);
    const isDense = kernel.every((size, axis) => size === 1 || dilation[axis] === 1);
    return isUnpadded && isDense;
  }

  /** Groups whose channels do not come in fours have no vec4 to load: they take the direct form. */
  get isDirect(): boolean {
    const { groups } = this.attributes;
    return groups > 1 && (this.groupInputs % 4 !== 0 || this.groupOutputs % 4 !== 0);
  }

  /** Multiply-adds per image, the same forward and for either gradient. */
  get macs(): number {
    const [height, width] = this.outputSize;
    const [kernelHeight, kernelWidth] = this.attributes.kernel;
    return height * width * this.outputs * this.groupInputs * kernelHeight * kernelWidth;
  }

  /** Rows or columns from a window's first element to its last, counted from 0. */
  reach(axis: 0 | 1): number {
    return this.attributes.dilation[axis] * (this.attributes.kernel[axis] - 1);
  }

  get corner(): Pair {
    return [this.attributes.padding.top, this.attributes.padding.left];
  }

  /** Zeros that windows read before the input's first row or column, and after its last. */
  halo(axis: 0 | 1): { before: number; after: number } {
    const last = (this.outputSize[axis] - 1) * this.attributes.stride[axis] + this.reach(axis);
    const before = this.corner[axis];
    return { before, after: Math.max(0, last - before - this.inputSize[axis] + 1) };
  }

  /**
   * How far before an output gradient's first element the flipped kernel starts: the input gradient
   * at y is the sum over taps of the gradient, spread by the stride, at y - gradientStart ... y -
   * gradientStart + reach.
   */
  gradientStart(axis: 0 | 1): number {
    return this.reach(axis) - this.corner[axis];
  }

  /** Zeros that the input gradient reads around the output gradient. */
  gradientHalo(axis: 0 | 1): { before: number; after: number } {
    const spread = (this.outputSize[axis] - 1) * this.attributes.stride[axis] + 1;
    const last = this.inputSize[axis] - 1 + this.corner[axis];
    return {
      before: Math.max(0, this.gradientStart(axis)),
      after: Math.max(0, last - spread + 1),
    };
  }
}

export type ContractionNode =
  Node<"convolution"> | Node<"convolutionInputGradient"> | Node<"convolutionWeightGradient">;

export const isContraction = (node: AnyNode): node is AnyNode & ContractionNode =>
  node.kind === "convolution" ||
  node.kind === "convolutionInputGradient" ||
  node.kind === "convolutionWeightGradient";

/** Of the convolution that a node computes, or a gradient of. */
export function geometryOf(node: ContractionNode): ConvolutionGeometry {
  const { kind, inputs, outputs, attributes } = node;
  const [first, second] = inputs as [Value, Value];
  switch (kind) {
    case "convolution":
      return new ConvolutionGeometry(attributes, first.shape, outputs[0]!.shape);
    case "convolutionInputGradient":
      return new ConvolutionGeometry(attributes, outputs[0]!.shape, first.shape);
    case "convolutionWeightGradient":
      return new ConvolutionGeometry(attributes, first.shape, second.shape);
  }
}
