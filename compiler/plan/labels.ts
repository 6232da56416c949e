import type { AnyNode, OpKind } from "../ir/graph.js";

/** What the kernel of a result does, where another node's buffers are named after it as well. */
const WORDS = {
  convolution: "forward",
  convolutionInputGradient: "input gradient",
  pointwise: "pointwise",
  maxPoolGradient: "gradient",
  maxUnpool: "forward",
  maxUnpoolGradient: "gradient",
  averagePoolGradient: "gradient",
  channelStatistics: "statistics",
  normalizeGradient: "weight and bias gradient",
} as const satisfies Partial<Record<OpKind, string>>;

/** `features.conv1 forward`: the label of the dispatch that makes a node's result. */
export const labelOf = ({ kind, origin }: Pick<AnyNode, "kind" | "origin">): string =>
  `${origin.name} ${WORDS[kind as keyof typeof WORDS] ?? spaced(kind)}`;

/** `joinChannels` as "join channels": what a kernel does that has no word here. */
const spaced = (kind: OpKind): string =>
  kind.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
