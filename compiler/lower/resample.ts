import type { Node, ResampleAttributes } from "../ir/graph.js";
import { resample, resampleGradient } from "../kernels/resample.js";
import { resamplePlace } from "../ir/resample-taps.js";
import type { ActivationLayout } from "../layout/activation-layout.js";
import type { LoweringContext } from "./context.js";
import { quadSteps } from "./quads-old.js";
import { floatBits, type StepDraft } from "./step-draft.js";

/** Sizes of the image and of what is made of it, and where the pixels of one fall on the other. */
function sizeConstants(
  attributes: ResampleAttributes,
  input: ActivationLayout,
  output: ActivationLayout,
): Record<string, number> {
  const rows = resamplePlace({ input: input.height, output: output.height }, attributes);
  const columns = resamplePlace({ input: input.width, output: output.width }, attributes);
  return {
    input_height: input.height,
    input_width: input.width,
    output_height: output.height,
    output_width: output.width,
    ratio_y: floatBits(rows.ratio),
    shift_y: floatBits(rows.shift),
    ratio_x: floatBits(columns.ratio),
    shift_x: floatBits(columns.shift),
  };
}

export function lowerResample(
  context: LoweringContext,
  node: Node<"resample">,
): readonly StepDraft[] {
  const { attributes } = node;
  const [input, result] = [node.inputs[0]!, node.outputs[0]!];
  const layout = context.layout(input);
  return quadSteps(context, node, {
    label: `${node.origin.name} forward`,
    result,
    fused: node.fusion?.epilogue,
    storage: [context.storageOf(input)],
    constants: {
      ...sizeConstants(attributes, layout, context.layout(result)),
      ...layout.place("a"),
    },
    kernel: (epilogue) => resample(attributes.mode, epilogue),
  });
}

export function lowerResampleGradient(
  context: LoweringContext,
  node: Node<"resampleGradient">,
): readonly StepDraft[] {
  const { attributes } = node;
  const [gradient, result] = [node.inputs[0]!, node.outputs[0]!];
  const layout = context.layout(gradient);
  return quadSteps(context, node, {
    label: `${node.origin.name} gradient`,
    result,
    fused: node.fusion?.epilogue,
    storage: [context.storageOf(gradient)],
    constants: {
      ...sizeConstants(attributes, context.layout(result), layout),
      ...layout.place("a"),
    },
    kernel: (epilogue) => resampleGradient(attributes.mode, epilogue),
  });
}
