import type { Affine } from "../../program/program.js";
import type { Node } from "../ir/graph.js";
import { elementCount } from "../ir/shape.js";
import {
  channelMoments,
  channelProducts,
  joinMoments,
  joinProducts,
  MOMENTS,
  PARTS_WORKGROUP,
  PRODUCTS,
} from "../kernels/channel-statistics.js";
import type { Kernel } from "../kernels/kernel.js";
import { NORMALIZE_WORKGROUP, normalizeScale } from "../kernels/normalize.js";
import { normalizeExpression } from "../ops/normalize.js";
import { roundUpTo4, type ActivationLayout } from "./activation-layout.js";
import type { LoweringContext } from "./context.js";
import { lowerPointwise } from "./elementwise.js";
import { fixed, floatBits, type Storage } from "./storage.js";

/** Values of a channel that a lane goes through, at least: enough to spread the cost of a thread and of its part. */
const PART_VALUES = 64;

/** A reduction of each channel over batch and space: a kernel for parts of its values, and one to join them. */
interface ChannelReduction {
  readonly label: string;
  /** Of what is reduced. */
  readonly layout: ActivationLayout;
  /** The kernel of the parts, what it reads, and where that lies. */
  readonly parts: Kernel;
  readonly read: readonly Storage[];
  readonly places: Readonly<Record<string, number>>;
  /** vec4 that a part leaves of a channel quad. */
  readonly left: number;
  /** The joining kernel, what else it reads, and what it writes. */
  readonly join: Kernel;
  readonly finish: readonly Storage[];
  readonly settings: Readonly<Record<string, number>>;
}

function emitReduction(
  context: LoweringContext,
  { origin }: Pick<Node, "origin">,
  reduction: ChannelReduction,
): void {
  const { label, layout, left } = reduction;
  const { pixels, height, width, quads } = layout;
  const lines = Math.ceil(PART_VALUES / width);
  const common = { origin, macs: 0 };
  const partial: Storage = {
    name: `${label} of parts`,
    purpose: "scratch",
    bytes: partsBytes({ left, quads, values: lines * width, pixels }),
  };
  context.emit({
    ...common,
    kernel: reduction.parts,
    storage: [...reduction.read, partial],
    constants: { height, width, quads, lines, ...reduction.places },
    workgroups: { x: { ...threadsOfLines(layout), tile: lines * PARTS_WORKGROUP }, z: 1 },
    label: partial.name,
  });
  context.emit({
    ...common,
    kernel: reduction.join,
    storage: [partial, ...reduction.finish],
    constants: { pixels, quads, part_values: lines * width, ...reduction.settings },
    workgroups: { x: { ...fixed(quads), tile: 1 }, z: 1 },
    label,
  });
}

/** A thread for each quad of some lines, the last ones perhaps fewer, times the lines. */
const threadsOfLines = ({ width, height, quads }: ActivationLayout): Affine => ({
  fixed: quads * (Math.ceil(PART_VALUES / width) - 1),
  perImage: quads * height,
});

/** Room for the parts of so many values of a channel, each of which leaves so many vec4. */
function partsBytes(parts: {
  readonly left: number;
  readonly quads: number;
  readonly values: number;
  readonly pixels: number;
}): Affine {
  const bytes = 16 * parts.left * parts.quads;
  return { fixed: bytes, perImage: bytes * Math.ceil(parts.pixels / parts.values) };
}

export function lowerChannelStatistics(
  context: LoweringContext,
  node: Node<"channelStatistics">,
): void {
  const [input, ...running] = node.inputs;
  const layout = context.layout(input!);
  emitReduction(context, node, {
    label: `${node.origin.name} statistics`,
    layout,
    parts: channelMoments(),
    read: [context.storageOf(input!)],
    places: layout.place("a"),
    left: MOMENTS,
    join: joinMoments(),
    finish: [...running, ...node.outputs].map((value) => context.storageOf(value)),
    settings: { momentum: floatBits(node.attributes.momentum) },
  });
}

export function lowerNormalizeGradient(
  context: LoweringContext,
  node: Node<"normalizeGradient">,
): void {
  const [gradient, input, mean, variance] = node.inputs.map((value) => context.storageOf(value));
  const layout = context.layout(node.inputs[1]!);
  emitReduction(context, node, {
    label: `${node.origin.name} weight and bias gradient`,
    layout,
    parts: channelProducts(),
    read: [gradient!, input!, mean!],
    places: { ...context.layout(node.inputs[0]!).place("d"), ...layout.place("a") },
    left: PRODUCTS,
    join: joinProducts(),
    finish: [mean!, variance!, ...node.outputs.map((value) => context.storageOf(value))],
    settings: { epsilon: floatBits(node.attributes.epsilon) },
  });
}

/** Where fusion has not made it an expression, it becomes one here. */
export function lowerNormalize(context: LoweringContext, node: Node<"normalize">): void {
  const expression = normalizeExpression(node);
  lowerPointwise(context, { ...node, kind: "pointwise", attributes: { expression } });
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
