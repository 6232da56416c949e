import type { Node, Value } from "../ir/graph.js";
import { elementCount } from "../ir/shape.js";
import { directConvolution, directInputGradient, directWeightGradient } from "../kernels/direct.js";
import type { ConvolutionGeometry } from "../layout/geometry.js";
import { labelOf } from "../plan/labels.js";
import { geometryOf } from "../layout/geometry.js";
import { fixed } from "../plan/storage.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import { quadSteps } from "./quads.js";
import type { StepDraft } from "./step-draft.js";

/** Groups and windows. */
function windows({ attributes, inputs, outputs }: ConvolutionGeometry) {
  const { kernel, stride, dilation, padding, groups } = attributes;
  return {
    group_inputs: inputs / groups,
    group_outputs: outputs / groups,
    kernel_height: kernel[0],
    kernel_width: kernel[1],
    stride_height: stride[0],
    stride_width: stride[1],
    dilation_height: dilation[0],
    dilation_width: dilation[1],
    padding_top: padding.top,
    padding_left: padding.left,
  };
}

const inputSize = ({ inputSize: [height, width] }: ConvolutionGeometry) => ({
  input_height: height,
  input_width: width,
});

const outputSize = ({ outputSize: [height, width] }: ConvolutionGeometry) => ({
  output_height: height,
  output_width: width,
});

/** Forward, or the input gradient, of groups whose channels do not come in fours. */
export function lowerDirect(
  context: LoweringContext,
  node: Node<"convolution"> | Node<"convolutionInputGradient">,
): readonly StepDraft[] {
  const geometry = geometryOf(node);
  const [from, weights] = node.inputs as [Value, Value];
  const common = {
    label: labelOf(node),
    result: node.outputs[0]!,
    fused: node.fusion?.epilogue,
    buffers: { input: context.storageOf(from), weights: context.storageOf(weights) },
    macs: geometry.macs,
  };
  const shared = { ...windows(geometry), input: context.layout(from).inQuads() };
  if (node.kind === "convolution") {
    return quadSteps(context, node, {
      ...common,
      kernel: directConvolution(),
      constants: { ...shared, ...inputSize(geometry), output_channels: geometry.outputs },
    });
  }
  return quadSteps(context, node, {
    ...common,
    kernel: directInputGradient(),
    constants: { ...shared, ...outputSize(geometry), input_channels: geometry.inputs },
  });
}

export function lowerDirectWeightGradient(
  context: LoweringContext,
  node: Node<"convolutionWeightGradient">,
): readonly StepDraft[] {
  const geometry = geometryOf(node);
  const [input, gradient] = node.inputs as [Value, Value];
  const weights = elementCount(node.attributes.weightShape);
  return [
    dispatch(directWeightGradient(), {
      buffers: {
        input: context.storageOf(input),
        gradient: context.storageOf(gradient),
        result: context.storageOf(node.outputs[0]!),
      },
      constants: {
        weights,
        ...windows(geometry),
        ...inputSize(geometry),
        ...outputSize(geometry),
        input: context.layout(input).inQuads(),
        gradient: context.layout(gradient).inQuads(),
      },
      threads: fixed(weights),
      label: `${node.origin.name} weight gradient`,
      origin: node.origin,
      macs: geometry.macs,
    }),
  ];
}
