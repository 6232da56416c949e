/** Forms of the kernels that need no schedule. */
import type { AnyNode, Node, Value } from "../ir/graph.js";
import { MOST_OF_A_THREAD } from "../schedules/reductions.js";
import { layoutOf, type GraphSettings } from "./settings.js";

export type GroupNode = Node<"groupNormalize"> | Node<"groupNormalizeGradient">;

/** How the groups of a group normalization are worked on. */
export interface GroupPlan {
  /** Who works on a group: a workgroup, or a thread where groups are many and small. */
  readonly worker: "workgroup" | "thread";
  /** What a group is made of: quads where it has channels in fours. */
  readonly element: "vec4f" | "f32";
  /** Pixels at which a group begins. */
  readonly starts: number;
  /** Elements of a group at a pixel, and in all. */
  readonly channels: number;
  readonly size: number;
}

export const isOverGroups = (node: AnyNode): node is AnyNode & GroupNode =>
  node.kind === "groupNormalize" || node.kind === "groupNormalizeGradient";

export function planGroups(settings: GraphSettings, node: GroupNode): GroupPlan {
  const { groups, pixels: extent } = node.attributes;
  const layout = layoutOf(settings, node.inputs[0]!);
  const [starts, pixels] = extent === "together" ? [1, layout.pixels] : [layout.pixels, 1];
  const isQuad = (layout.channels / groups) % 4 === 0;
  const channels = layout.channels / groups / (isQuad ? 4 : 1);
  const size = channels * pixels;
  return {
    worker: starts > 1 && size <= MOST_OF_A_THREAD ? "thread" : "workgroup",
    element: isQuad ? "vec4f" : "f32",
    starts,
    channels,
    size,
  };
}

/** Channels of one activation that become channels of another. */
export interface ChannelCopy {
  readonly from: Value;
  readonly to: Value;
  readonly fromStart: number;
  readonly toStart: number;
  readonly channels: number;
  /** Tokens, columns or rows before it, where values follow one another along these. */
  readonly toColumn?: number;
  readonly toRow?: number;
  /** In fours where they begin and end in fours on both sides, else one by one. */
  readonly inFours: boolean;
}

export type CopyNode = Node<"concatenate"> | Node<"slice">;

export const isCopy = (node: AnyNode): node is AnyNode & CopyNode =>
  node.kind === "concatenate" || node.kind === "slice";

export function planCopies(settings: GraphSettings, node: CopyNode): readonly ChannelCopy[] {
  const [to] = node.outputs as [Value];
  if (node.kind === "slice") {
    const { start, count } = node.attributes;
    return [
      channelCopy({ from: node.inputs[0]!, to, fromStart: start, toStart: 0, channels: count }),
    ];
  }
  const { axis } = node.attributes;
  if (axis) return spaceCopies(settings, node.inputs, { to, isRows: axis === "rows" });
  let toStart = 0;
  return node.inputs.map((from) => {
    const { channels } = layoutOf(settings, from);
    const copy = channelCopy({ from, to, fromStart: 0, toStart, channels });
    toStart += channels;
    return copy;
  });
}

function spaceCopies(
  settings: GraphSettings,
  inputs: readonly Value[],
  { to, isRows }: { readonly to: Value; readonly isRows: boolean },
): readonly ChannelCopy[] {
  let before = 0;
  return inputs.map((from) => {
    const { channels, width, height } = layoutOf(settings, from);
    const start = isRows ? { toRow: before } : { toColumn: before };
    before += isRows ? height : width;
    return channelCopy({ from, to, fromStart: 0, toStart: 0, channels, ...start });
  });
}

function channelCopy(copy: Omit<ChannelCopy, "inFours">): ChannelCopy {
  const { fromStart, toStart, channels } = copy;
  const inFours = [fromStart, toStart, channels].every((count) => count % 4 === 0);
  return { ...copy, inFours };
}

/**
 * Whether a lane makes a line of pixels instead of one: where it leaves parts of a reduction, and
 * where values of a channel that it reads serve all of them.
 */
export const makesLines = ({ kind, inputs, fusion }: AnyNode): boolean =>
  fusion?.leaves !== undefined ||
  ((kind === "pointwise" || kind === "normalize") &&
    inputs.some(({ shape }) => shape.length === 1));
