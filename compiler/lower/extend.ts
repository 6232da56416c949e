import type { Node } from "../ir/graph.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import { extend, extendEdgeGradient, extendGradient } from "../kernels/extend.js";
import type { LoweringContext } from "./context.js";
import { quadSteps } from "./quads.js";
import type { StepDraft } from "./step-draft.js";

export function lowerExtend(context: LoweringContext, node: Node<"extend">): readonly StepDraft[] {
  const { mode, padding, value } = node.attributes;
  const [input, result] = [node.inputs[0]!, node.outputs[0]!];
  const from = context.layout(input);
  const isConstant = mode === "constant";
  return quadSteps(context, node, {
    label: `${node.origin.name} forward`,
    result,
    fused: node.fusion?.epilogue,
    kernel: extend({ mode }),
    buffers: { input: context.storageOf(input) },
    constants: {
      input: from.inQuads(),
      input_height: from.height,
      input_width: from.width,
      padding_top: padding.top,
      padding_left: padding.left,
      ...withoutUndefined({
        value: isConstant ? (value ?? 0) : undefined,
        own_channels: isConstant ? from.channels : undefined,
      }),
    },
  });
}

export function lowerExtendGradient(
  context: LoweringContext,
  node: Node<"extendGradient">,
): readonly StepDraft[] {
  const { mode, padding } = node.attributes;
  const [gradient, result] = [node.inputs[0]!, node.outputs[0]!];
  const [from, to] = [context.layout(gradient), context.layout(result)];
  const common = {
    label: `${node.origin.name} gradient`,
    result,
    fused: node.fusion?.epilogue,
    buffers: { input: context.storageOf(gradient) },
    constants: {
      input: from.inQuads(),
      input_height: to.height,
      input_width: to.width,
      output_height: from.height,
      output_width: from.width,
      padding_top: padding.top,
      padding_left: padding.left,
    },
  };
  // The gradient of a constant is cut out by `rearrange`.
  if (mode === "constant") throw new Error("padding with a number has another gradient");
  return mode === "replicate"
    ? quadSteps(context, node, { ...common, kernel: extendEdgeGradient() })
    : quadSteps(context, node, { ...common, kernel: extendGradient({ mode }) });
}
