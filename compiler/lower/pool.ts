import { slopeOf } from "../ir/expression-derivative.js";
import type {
  AverageAttributes,
  MaxPoolAttributes,
  Node,
  PoolAttributes,
  Value,
} from "../ir/graph.js";
import {
  adaptiveAveragePool,
  adaptiveAveragePoolGradient,
  averagePool,
  averagePoolGradient,
  maxPool,
  maxPoolGradient,
  maxUnpoolGradient,
  vectorName,
  type Divisor,
  type Maxima,
} from "../kernels/pool.js";
import type { ActivationLayout } from "../layout/activation-layout.js";
import { codeWidth } from "../layout/code-width.js";
import { labelOf } from "../plan/labels.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import type { LoweringContext } from "./context.js";
import { quadSteps } from "./quads.js";
import type { StepDraft } from "./step-draft.js";

const windowConstants = ({ kernel, stride, padding }: PoolAttributes) => ({
  kernel_height: kernel[0],
  kernel_width: kernel[1],
  stride_height: stride[0],
  stride_width: stride[1],
  padding_top: padding.top,
  padding_left: padding.left,
});

const inputConstants = (input: ActivationLayout) => ({
  input_height: input.height,
  input_width: input.width,
});

const outputConstants = (output: ActivationLayout) => ({
  output_height: output.height,
  output_width: output.width,
});

const maximaOf = ({ dilation, outputSize }: MaxPoolAttributes): Maxima => {
  if (outputSize) return "even";
  return dilation?.some((step) => step > 1) ? "dilated" : "sliding";
};

/** Of windows that divide the image evenly, `kernel` is the largest. */
function maximaConstants(attributes: MaxPoolAttributes) {
  const { kernel, dilation = [1, 1] } = attributes;
  const maxima = maximaOf(attributes);
  if (maxima === "even") return { kernel_width: kernel[1] };
  const windows = windowConstants(attributes);
  if (maxima === "sliding") return windows;
  return { ...windows, dilation_height: dilation[0], dilation_width: dilation[1] };
}

export function lowerMaxPool(
  context: LoweringContext,
  node: Node<"maxPool">,
): readonly StepDraft[] {
  const input = node.inputs[0]!;
  const [result, code] = node.outputs as [Value, Value];
  const layout = context.layout(input);
  const { relu, kernel } = node.attributes;
  const isEven = node.attributes.outputSize !== undefined;
  const outputSize = isEven ? outputConstants(context.layout(result)) : undefined;
  const prologue = node.fusion?.prologue;
  const vectors = prologue?.operands ?? [];
  const line = prologue && {
    expression: prologue.expression,
    slope: slopeOf(prologue.expression)!,
    vectors: vectors.length,
  };
  const keepsCodes = context.isStored(code);
  const vectorBuffers = vectors.map(
    (vector, index) => [vectorName(index), context.storageOf(vector)] as const,
  );
  return quadSteps(context, node, {
    label: `${node.origin.name} forward`,
    result,
    kernel: maxPool({
      maxima: maximaOf(node.attributes),
      relu,
      keepsCodes,
      codes: codeWidth(kernel),
      line,
    }),
    buffers: {
      input: context.storageOf(input),
      ...withoutUndefined({ codes: keepsCodes ? context.storageOf(code) : undefined }),
      ...Object.fromEntries(vectorBuffers),
    },
    constants: {
      ...inputConstants(layout),
      ...maximaConstants(node.attributes),
      ...outputSize,
      input: layout.inQuads(),
    },
  });
}

export function lowerMaxPoolGradient(
  context: LoweringContext,
  node: Node<"maxPoolGradient"> | Node<"maxUnpool">,
): readonly StepDraft[] {
  const [gradient, code] = node.inputs as [Value, Value];
  const result = node.outputs[0]!;
  const layout = context.layout(gradient);
  const isEven = node.attributes.outputSize !== undefined;
  const inputSize = isEven ? inputConstants(context.layout(result)) : undefined;
  return quadSteps(context, node, {
    label: labelOf(node),
    result,
    fused: node.fusion?.epilogue,
    kernel: maxPoolGradient({
      maxima: maximaOf(node.attributes),
      codes: codeWidth(node.attributes.kernel),
    }),
    buffers: { input: context.storageOf(gradient), codes: context.storageOf(code) },
    constants: {
      ...inputSize,
      ...maximaConstants(node.attributes),
      ...outputConstants(layout),
      input: layout.inQuads(),
    },
  });
}

export function lowerMaxUnpoolGradient(
  context: LoweringContext,
  node: Node<"maxUnpoolGradient">,
): readonly StepDraft[] {
  const { attributes } = node;
  const [gradient, code] = node.inputs as [Value, Value];
  const maxima = maximaOf(attributes);
  if (maxima === "even") throw new Error(`${node.origin.name} cannot undo windows that overlap`);
  const places = { ...maximaConstants(attributes), kernel_height: undefined };
  return quadSteps(context, node, {
    label: `${node.origin.name} gradient`,
    result: node.outputs[0]!,
    fused: node.fusion?.epilogue,
    kernel: maxUnpoolGradient({ maxima, codes: codeWidth(attributes.kernel) }),
    buffers: { input: context.storageOf(gradient), codes: context.storageOf(code) },
    constants: { ...places, input: context.layout(gradient).inQuads() },
  });
}

type Sliding = Extract<AverageAttributes, { windows: "sliding" }>;

const divisorOf = (attributes: Sliding): Divisor => (attributes.countPadding ? "padded" : "inside");

/** Padding that counts in the divisor: not what only completes the last windows in ceil mode. */
function averageConstants(attributes: Sliding, input: ActivationLayout) {
  const { padding, overhang, countPadding } = attributes;
  return {
    ...inputConstants(input),
    ...windowConstants(attributes),
    ...withoutUndefined({
      padding_bottom: countPadding ? padding.bottom - (overhang?.bottom ?? 0) : undefined,
      padding_right: countPadding ? padding.right - (overhang?.right ?? 0) : undefined,
    }),
  };
}

export function lowerAveragePool(
  context: LoweringContext,
  node: Node<"averagePool">,
): readonly StepDraft[] {
  const { attributes } = node;
  const input = node.inputs[0]!;
  const result = node.outputs[0]!;
  const layout = context.layout(input);
  const common = {
    result,
    fused: node.fusion?.epilogue,
    buffers: { input: context.storageOf(input) },
    label: `${node.origin.name} forward`,
  };
  if (attributes.windows === "adaptive") {
    return quadSteps(context, node, {
      ...common,
      kernel: adaptiveAveragePool(),
      constants: {
        ...inputConstants(layout),
        ...outputConstants(context.layout(result)),
        input: layout.inQuads(),
      },
    });
  }
  return quadSteps(context, node, {
    ...common,
    kernel: averagePool({ divisor: divisorOf(attributes) }),
    constants: { ...averageConstants(attributes, layout), input: layout.inQuads() },
  });
}

export function lowerAveragePoolGradient(
  context: LoweringContext,
  node: Node<"averagePoolGradient">,
): readonly StepDraft[] {
  const { attributes } = node;
  const gradient = node.inputs[0]!;
  const result = node.outputs[0]!;
  const layout = context.layout(gradient);
  const target = context.layout(result);
  const common = {
    result,
    fused: node.fusion?.epilogue,
    buffers: { input: context.storageOf(gradient) },
    label: `${node.origin.name} gradient`,
  };
  if (attributes.windows === "adaptive") {
    return quadSteps(context, node, {
      ...common,
      kernel: adaptiveAveragePoolGradient(),
      constants: {
        ...inputConstants(target),
        ...outputConstants(layout),
        input: layout.inQuads(),
      },
    });
  }
  return quadSteps(context, node, {
    ...common,
    kernel: averagePoolGradient({ divisor: divisorOf(attributes) }),
    constants: {
      ...averageConstants(attributes, target),
      ...outputConstants(layout),
      input: layout.inQuads(),
    },
  });
}
