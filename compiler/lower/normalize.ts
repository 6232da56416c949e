import type { Node } from "../ir/graph.js";
import { elementCount } from "../ir/shape.js";
import {
  channelStatistics,
  imageNormalizeGradient,
  imageStatistics,
  joinNormalizeGradient,
  joinStatistics,
  normalizeGradient,
} from "../kernels/channel-statistics.js";
import type { Kernel } from "../kernels/kernel.js";
import { NORMALIZE_WORKGROUP, normalizeScale } from "../kernels/normalize.js";
import { normalizeExpression } from "../ops/normalize.js";
import { roundUpTo4, type ActivationLayout } from "./activation-layout.js";
import type { LoweringContext } from "./context.js";
import { lowerPointwise } from "./elementwise.js";
import { fixed, floatBits, perImage, type Storage } from "./storage.js";

/** Pixels from which on each image is reduced by itself first: half of a workgroup's lanes then have something to do. */
const PIXELS_OF_A_WORKGROUP = 32;

/** A reduction of each channel over batch and space, as one kernel, or as one for the images and one to join them. */
interface ChannelReduction {
  readonly label: string;
  readonly layout: ActivationLayout;
  /** What all pixels are read from, and where it lies. */
  readonly read: readonly Storage[];
  readonly places: Readonly<Record<string, number>>;
  /** What else finishing reads, and what it writes. */
  readonly finish: readonly Storage[];
  readonly settings: Readonly<Record<string, number>>;
  /** Values that a channel of an image leaves. */
  readonly partials: number;
  whole(): Kernel;
  images(): Kernel;
  join(): Kernel;
  /** Of `finish`, what the images' kernel reads as well. */
  readonly shared?: readonly Storage[];
}

function emitReduction(
  context: LoweringContext,
  { origin }: Pick<Node, "origin">,
  { layout, read, finish, shared = [], ...reduction }: ChannelReduction,
): void {
  const { pixels, width, quads } = layout;
  const constants = { pixels, width, quads, ...reduction.places, ...reduction.settings };
  const common = { constants, origin, macs: 0 };
  const perQuad = { x: { ...fixed(quads), tile: 1 }, z: 1 };
  const { label } = reduction;
  if (pixels < PIXELS_OF_A_WORKGROUP) {
    const storage = [...read, ...finish];
    context.emit({ ...common, kernel: reduction.whole(), storage, workgroups: perQuad, label });
    return;
  }
  const partial: Storage = {
    name: `${label} of images`,
    purpose: "scratch",
    bytes: perImage(16 * reduction.partials * quads),
  };
  context.emit({
    ...common,
    kernel: reduction.images(),
    storage: [...read, ...shared, partial],
    workgroups: { x: { ...perImage(quads), tile: 1 }, z: 1 },
    label: partial.name,
  });
  const storage = [partial, ...finish];
  context.emit({ ...common, kernel: reduction.join(), storage, workgroups: perQuad, label });
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
    read: [context.storageOf(input!)],
    places: layout.place("a"),
    finish: [...running, ...node.outputs].map((value) => context.storageOf(value)),
    settings: { momentum: floatBits(node.attributes.momentum) },
    partials: 3,
    whole: channelStatistics,
    images: imageStatistics,
    join: joinStatistics,
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
    read: [gradient!, input!],
    places: { ...context.layout(node.inputs[0]!).place("d"), ...layout.place("a") },
    shared: [mean!],
    finish: [mean!, variance!, ...node.outputs.map((value) => context.storageOf(value))],
    settings: { epsilon: floatBits(node.attributes.epsilon) },
    partials: 2,
    whole: normalizeGradient,
    images: imageNormalizeGradient,
    join: joinNormalizeGradient,
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
