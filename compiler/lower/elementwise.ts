import type { Node, Value } from "../ir/graph.js";
import { operand } from "../ir/expression.js";
import { substitute } from "../ir/expression-transform.js";
import { channelWindowSum } from "../kernels/channel-window.js";
import { reshape } from "../kernels/copy.js";
import { pointwise } from "../kernels/pointwise.js";
import type { ActivationLayout } from "../layout/activation-layout.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import { labelOf } from "./labels.js";
import { emitQuads } from "./quads.js";
import { perImage, type Storage } from "./storage.js";

/**
 * The first operand that is an activation becomes the kernel's own input; the others are operands
 * of its epilogue.
 */
export function lowerPointwise(context: LoweringContext, node: Node<"pointwise">): void {
  const first = node.inputs.findIndex((input) => input.shape.length > 1);
  const main = node.inputs[first]!;
  const others = node.inputs.filter((_, index) => index !== first);
  const expression = substitute(node.attributes.expression, (leaf) =>
    leaf.index === first
      ? operand(0)
      : { ...leaf, index: others.indexOf(node.inputs[leaf.index]!) + 1 },
  );
  emitQuads(context, node, {
    label: labelOf(node),
    result: node.outputs[0]!,
    fused: { expression, operands: others },
    kernel: pointwise(),
    buffers: { a: context.storageOf(main) },
    constants: { a: context.layout(main).inQuads() },
    form: others.some((value) => value.shape.length === 1) ? "lines" : "lines to gather",
  });
}

export function lowerChannelWindowSum(
  context: LoweringContext,
  node: Node<"channelWindowSum">,
): void {
  const { before, after } = node.attributes;
  const { prologue, epilogue } = node.fusion ?? {};
  const input = node.inputs[0]!;
  const layout = context.layout(input);
  emitQuads(context, node, {
    label: `${node.origin.name} channel window`,
    result: node.outputs[0]!,
    fused: epilogue,
    kernel: channelWindowSum({ prologue: prologue?.expression ?? operand(0) }),
    buffers: { a: context.storageOf(input) },
    constants: { window_channels: layout.channels, before, after, a: layout.inQuads() },
  });
}

/** Between [N, C, 1, 1] and [N, C] nothing moves; else elements are copied in logical order. */
export function lowerReshape(context: LoweringContext, node: Node<"reshape">): void {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  const [from, to] = [context.layout(input), context.layout(output)];
  const isSameOrder = from.pixels === 1 && to.pixels === 1;
  const isPrediction = context.isPrediction(output) || context.isPrediction(input);
  if (isSameOrder && from.isContiguous && to.isContiguous && !isPrediction) {
    context.alias(output, input);
    return;
  }
  emitReshape(context, node.origin, {
    label: `${node.origin.name} reshape`,
    from: input,
    storage: context.storageOf(output),
    to,
  });
}

export interface ReshapeProblem {
  readonly label: string;
  readonly from: Value;
  readonly storage: Storage;
  readonly to: ActivationLayout;
}

/** Copies a value's elements, in logical order, into another layout. */
export function emitReshape(
  context: LoweringContext,
  origin: Node["origin"],
  { label, from, storage, to }: ReshapeProblem,
): void {
  const layout = context.layout(from);
  const elements = layout.channels * layout.pixels;
  context.emit(
    dispatch(reshape(), {
      buffers: { a: context.storageOf(from), result: storage },
      constants: {
        elements,
        a_width: layout.width,
        a_height: layout.height,
        y_width: to.width,
        y_height: to.height,
        a: layout.inFloats(),
        y: to.inFloats(),
      },
      threads: perImage(elements),
      label,
      origin,
    }),
  );
}
