import type { Node, ResampleAttributes } from "../ir/graph.js";
import { resamplePlace } from "../ir/resample-taps.js";
import {
  resampleBicubic,
  resampleBicubicGradient,
  resampleBilinear,
  resampleBilinearGradient,
  resampleNearest,
  resampleNearestGradient,
} from "../kernels/resample.js";
import type { ActivationLayout } from "../layout/activation-layout.js";
import type { LoweringContext } from "./context.js";
import { quadSteps } from "./quads.js";
import type { StepDraft } from "./step-draft.js";

/** Of the image that is resampled, and of what is made of it. */
interface Sides {
  readonly input: ActivationLayout;
  readonly output: ActivationLayout;
}

const inputSize = ({ input }: Sides) => ({ input_height: input.height, input_width: input.width });

const sizes = (sides: Sides) => ({
  ...inputSize(sides),
  output_height: sides.output.height,
  output_width: sides.output.width,
});

/** Where the pixels of the output fall on the input. */
function places(attributes: ResampleAttributes, { input, output }: Sides) {
  const rows = resamplePlace({ input: input.height, output: output.height }, attributes);
  const columns = resamplePlace({ input: input.width, output: output.width }, attributes);
  return {
    ratio_y: rows.ratio,
    shift_y: rows.shift,
    ratio_x: columns.ratio,
    shift_x: columns.shift,
  };
}

export function lowerResample(
  context: LoweringContext,
  node: Node<"resample">,
): readonly StepDraft[] {
  const { attributes } = node;
  const [input, result] = [node.inputs[0]!, node.outputs[0]!];
  const sides = { input: context.layout(input), output: context.layout(result) };
  const place = sides.input.inQuads();
  const common = {
    label: `${node.origin.name} forward`,
    result,
    fused: node.fusion?.epilogue,
    buffers: { input: context.storageOf(input) },
  };
  if (attributes.mode === "nearest") {
    const constants = { input: place, ...sizes(sides) };
    return quadSteps(context, node, { ...common, kernel: resampleNearest(), constants });
  }
  const constants = { input: place, ...inputSize(sides), ...places(attributes, sides) };
  const kernel = attributes.mode === "bicubic" ? resampleBicubic() : resampleBilinear();
  return quadSteps(context, node, { ...common, kernel, constants });
}

export function lowerResampleGradient(
  context: LoweringContext,
  node: Node<"resampleGradient">,
): readonly StepDraft[] {
  const { attributes } = node;
  const [gradient, result] = [node.inputs[0]!, node.outputs[0]!];
  const sides = { input: context.layout(result), output: context.layout(gradient) };
  const place = sides.output.inQuads();
  const common = {
    label: `${node.origin.name} gradient`,
    result,
    fused: node.fusion?.epilogue,
    buffers: { input: context.storageOf(gradient) },
  };
  if (attributes.mode === "nearest") {
    const constants = { input: place, ...sizes(sides) };
    return quadSteps(context, node, { ...common, kernel: resampleNearestGradient(), constants });
  }
  const constants = { input: place, ...sizes(sides), ...places(attributes, sides) };
  const isCubic = attributes.mode === "bicubic";
  const kernel = isCubic ? resampleBicubicGradient() : resampleBilinearGradient();
  return quadSteps(context, node, { ...common, kernel, constants });
}
