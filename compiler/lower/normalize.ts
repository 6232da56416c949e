import type { Node } from "../ir/graph.js";
import { elementCount } from "../ir/shape.js";
import { NORMALIZE_WORKGROUP, normalizeScale } from "../kernels/normalize.js";
import { channelStatistics, normalizeGradient } from "../kernels/reduce.js";
import { normalizeExpression } from "../ops/normalize.js";
import { roundUpTo4 } from "./activation-layout.js";
import type { LoweringContext } from "./context.js";
import { lowerPointwise } from "./elementwise.js";
import { fixed, floatBits } from "./storage.js";

export function lowerChannelStatistics(
  context: LoweringContext,
  node: Node<"channelStatistics">,
): void {
  const layout = context.layout(node.inputs[0]!);
  context.emit({
    kernel: channelStatistics(),
    storage: [...node.inputs, ...node.outputs].map((value) => context.storageOf(value)),
    constants: {
      pixels: layout.pixels,
      width: layout.width,
      ...layout.place("a"),
      momentum: floatBits(node.attributes.momentum),
    },
    workgroups: { x: { ...fixed(layout.quads), tile: 1 }, z: 1 },
    label: `${node.origin.name} statistics`,
    origin: node.origin,
    macs: 0,
  });
}

/** Where fusion has not made it an expression, it becomes one here. */
export function lowerNormalize(context: LoweringContext, node: Node<"normalize">): void {
  const expression = normalizeExpression(node);
  lowerPointwise(context, { ...node, kind: "pointwise", attributes: { expression } });
}

export function lowerNormalizeGradient(
  context: LoweringContext,
  node: Node<"normalizeGradient">,
): void {
  const [gradient, input] = node.inputs;
  const layout = context.layout(input!);
  context.emit({
    kernel: normalizeGradient(),
    storage: [...node.inputs, ...node.outputs].map((value) => context.storageOf(value)),
    constants: {
      pixels: layout.pixels,
      width: layout.width,
      ...context.layout(gradient!).place("d"),
      ...layout.place("a"),
      epsilon: floatBits(node.attributes.epsilon),
    },
    workgroups: { x: { ...fixed(layout.quads), tile: 1 }, z: 1 },
    label: `${node.origin.name} weight and bias gradient`,
    origin: node.origin,
    macs: 0,
  });
}

export function lowerNormalizeScale(context: LoweringContext, node: Node<"normalizeScale">): void {
  const { inputs, outputs, attributes, origin } = node;
  const quads = roundUpTo4(elementCount(outputs[0]!.shape)) / 4;
  context.emit({
    kernel: normalizeScale({ isAffine: inputs.length > 2 }),
    storage: [...inputs, ...outputs].map((value) => context.storageOf(value)),
    constants: { quads, epsilon: floatBits(attributes.epsilon) },
    workgroups: { x: { ...fixed(quads), tile: NORMALIZE_WORKGROUP }, z: 1 },
    label: `${origin.name} scale`,
    origin,
    macs: 0,
  });
}
