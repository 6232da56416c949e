import type { Node, Value } from "../ir/graph.js";
import { ATTENTION_SUBGROUPS } from "../schedules/index.js";
import { layoutOf, type PlanSettings } from "./settings.js";

/** How the threads of an attention share what they load. */
export interface AttentionPlan {
  /** Lanes of a subgroup that broadcast it; undefined where each thread loads all by itself. */
  readonly subgroup: 4 | 8 | undefined;
}

export type AttentionNode = Node<"attention"> | Node<"attentionGradient">;

/** Of larger heads, unrolled code would not fit into a processor's cache. */
const LARGEST_BROADCAST = 64;

/** Subgroups only where every token sees the same tokens, and all there is of them. */
export function planAttention(settings: PlanSettings, node: AttentionNode): AttentionPlan {
  const { heads, causal, window, dropout } = node.attributes;
  const [x] = node.inputs as readonly [Value, ...Value[]];
  const size = layoutOf(settings, x).channels / 3 / heads;
  const seesAll = !causal && !window && !dropout;
  const fits = size % 4 === 0 && size <= LARGEST_BROADCAST;
  return { subgroup: seesAll && fits ? ATTENTION_SUBGROUPS[settings.target] : undefined };
}
