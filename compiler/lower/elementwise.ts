import type { Node, Value } from "../ir/graph.js";
import { operand, type Expression } from "../ir/expression.js";
import { substitute } from "../ir/expression-transform.js";
import { channelWindowSum } from "../kernels/channel-window.js";
import { reshape } from "../kernels/copy.js";
import { pointwise } from "../kernels/pointwise.js";
import type { ActivationLayout } from "../layout/activation-layout.js";
import { logicalStrides } from "../layout/strides.js";
import { isSequence, type Shape } from "../ir/shape.js";
import { labelOf } from "../plan/labels.js";
import { perImage, type Storage } from "../plan/storage.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import { quadSteps } from "./quads.js";
import { moveStep } from "./rearrange.js";
import type { StepDraft } from "./step-draft.js";

export const lowerPointwise = (context: LoweringContext, node: Node<"pointwise">) =>
  expressionSteps(context, node, node.attributes.expression);

/**
 * The first operand that is an activation becomes the kernel's own input; the others are operands
 * of its epilogue.
 */
export function expressionSteps(
  context: LoweringContext,
  node: Node<"pointwise"> | Node<"normalize">,
  applied: Expression,
): readonly StepDraft[] {
  const first = node.inputs.findIndex((input) => input.shape.length > 1);
  const main = node.inputs[first]!;
  const others = node.inputs.filter((_, index) => index !== first);
  const expression = substitute(applied, (leaf) =>
    leaf.index === first
      ? operand(0)
      : { ...leaf, index: others.indexOf(node.inputs[leaf.index]!) + 1 },
  );
  return quadSteps(context, node, {
    label: labelOf({ kind: "pointwise", origin: node.origin }),
    result: node.outputs[0]!,
    fused: { expression, operands: others },
    kernel: pointwise(),
    buffers: { input: context.storageOf(main) },
    constants: { input: context.layout(main).inQuads() },
  });
}

export function lowerChannelWindowSum(
  context: LoweringContext,
  node: Node<"channelWindowSum">,
): readonly StepDraft[] {
  const { before, after } = node.attributes;
  const { prologue, epilogue } = node.fusion ?? {};
  const input = node.inputs[0]!;
  const layout = context.layout(input);
  return quadSteps(context, node, {
    label: `${node.origin.name} channel window`,
    result: node.outputs[0]!,
    fused: epilogue,
    kernel: channelWindowSum({ prologue: prologue?.expression ?? operand(0) }),
    buffers: { input: context.storageOf(input) },
    constants: { window_channels: layout.channels, before, after, input: layout.inQuads() },
  });
}

/** Elements are copied in logical order, unless the result is another name for the same memory. */
export function lowerReshape(
  context: LoweringContext,
  node: Node<"reshape">,
): readonly StepDraft[] {
  const [from, output] = [node.inputs[0]!, node.outputs[0]!];
  const storage = context.storageOf(output);
  if (storage === context.storageOf(from)) return [];
  const label = `${node.origin.name} reshape`;
  const { shape } = output;
  const to = { storage, shape, layout: context.layout(output) };
  return [reshapeStep(context, node.origin, { label, from, ...to })];
}

export interface ReshapeProblem {
  readonly label: string;
  readonly from: Value;
  readonly storage: Storage;
  readonly shape: Shape;
  readonly layout: ActivationLayout;
}

/** Copies a value's elements, in logical order, into another layout. */
export function reshapeStep(
  context: LoweringContext,
  origin: Node["origin"],
  { label, from, storage, shape, layout: to }: ReshapeProblem,
): StepDraft {
  if (isSequence(from.shape) || isSequence(shape)) {
    const numbering = {
      start: 0,
      steps: logicalStrides(shape),
      strides: logicalStrides(from.shape),
    };
    return moveStep(context, origin, { label, from, storage, layout: to, numbering });
  }
  const layout = context.layout(from);
  const elements = layout.channels * layout.pixels;
  return dispatch(reshape(), {
    buffers: { input: context.storageOf(from), result: storage },
    constants: {
      elements,
      input_width: layout.width,
      input_height: layout.height,
      result_width: to.width,
      result_height: to.height,
      input: layout.inFloats(),
      result: to.inFloats(),
    },
    threads: perImage(elements),
    label,
    origin,
  });
}
