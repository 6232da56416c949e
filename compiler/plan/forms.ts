/** Forms of the kernels that need no schedule. */
import type { AnyNode, Node } from "../ir/graph.js";
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

/**
 * Whether a lane makes a line of pixels instead of one: where it leaves parts of a reduction, and
 * where values of a channel that it reads serve all of them.
 */
export const makesLines = ({ kind, inputs, fusion }: AnyNode): boolean =>
  fusion?.leaves !== undefined ||
  ((kind === "pointwise" || kind === "normalize") &&
    inputs.some(({ shape }) => shape.length === 1));
