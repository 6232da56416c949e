import type { Node, Value } from "../ir/graph.js";
import { elementCount } from "../ir/shape.js";
import {
  DIRECT_WEIGHTS_WORKGROUP,
  directConvolution,
  directInputGradient,
  directWeightGradient,
} from "../kernels/direct.js";
import type { LoweringContext } from "./context.js";
import { emitQuads } from "./elementwise.js";
import type { ConvolutionGeometry } from "../layout/geometry.js";
import { fixed } from "./storage.js";
import type { Constants } from "../layout/window.js";

function directConstants(
  { attributes, ...geometry }: ConvolutionGeometry,
  groups: number,
): Constants {
  const { kernel, stride, dilation, padding } = attributes;
  return {
    group_inputs: geometry.inputs / groups,
    group_outputs: geometry.outputs / groups,
    kernel_height: kernel[0],
    kernel_width: kernel[1],
    stride_height: stride[0],
    stride_width: stride[1],
    dilation_height: dilation[0],
    dilation_width: dilation[1],
    padding_top: padding.top,
    padding_left: padding.left,
    input_height: geometry.inputSize[0],
    input_width: geometry.inputSize[1],
    input_channels: geometry.inputs,
    output_height: geometry.outputSize[0],
    output_width: geometry.outputSize[1],
    output_channels: geometry.outputs,
  };
}

/** Forward, or the input gradient, of groups whose channels do not come in fours. */
export function lowerDirect(
  context: LoweringContext,
  node: Node<"convolution"> | Node<"convolutionInputGradient">,
  geometry: ConvolutionGeometry,
  direction: "forward" | "input gradient",
): void {
  const [from, weights] = node.inputs as [Value, Value];
  emitQuads(context, node, {
    label: `${node.origin.name} ${direction}`,
    result: node.outputs[0]!,
    fused: node.fusion?.epilogue,
    storage: [context.storageOf(from), context.storageOf(weights)],
    constants: {
      ...directConstants(geometry, node.attributes.groups),
      ...context.layout(from).place("a"),
    },
    kernel: direction === "forward" ? directConvolution : directInputGradient,
    macs: geometry.macs,
  });
}

export function lowerDirectWeightGradient(
  context: LoweringContext,
  node: Node<"convolutionWeightGradient">,
  geometry: ConvolutionGeometry,
): void {
  const [input, gradient] = node.inputs as [Value, Value];
  const result = context.storageOf(node.outputs[0]!);
  const weights = elementCount(node.attributes.weightShape);
  context.emit({
    kernel: directWeightGradient(),
    storage: [context.storageOf(input), context.storageOf(gradient), result],
    constants: {
      weights,
      ...directConstants(geometry, node.attributes.groups),
      ...context.layout(input).place("a"),
      ...context.layout(gradient).place("b"),
    },
    workgroups: { x: { ...fixed(weights), tile: DIRECT_WEIGHTS_WORKGROUP }, z: 1 },
    label: `${node.origin.name} weight gradient`,
    origin: node.origin,
    macs: geometry.macs,
  });
}
