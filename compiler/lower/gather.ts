/**
 * Reductions of each channel whose first half is done by the kernel that makes what they reduce.
 */
import type { AnyNode, Node } from "../ir/graph.js";
import { GATHER_INTERFACES, type Gathered } from "../kernels/gather.js";
import type { ChannelParts } from "../plan/parts.js";
import type { LoweringContext } from "./context.js";
import { bind, type Bound } from "./dispatch.js";

/** What a kernel is to leave of its results. */
export interface Gather {
  readonly gathered: Gathered;
  /** What the fragment is given, with the memory for the parts of a range of batches. */
  readonly bound: (range?: number) => Bound | undefined;
}

/** What the kernel of a node's result is to leave. */
export function gatherFor(
  context: LoweringContext,
  node: Pick<Node, "fusion" | "outputs">,
): Gather | undefined {
  const left = context.plan.left.get(node as AnyNode);
  if (!left) return undefined;
  const { what, operands } = node.fusion!.leaves!;
  const { quads } = context.layout(node.outputs[0]!);
  const [input, mean] = operands.map((value) => context.storageOf(value));
  const place = operands[0] && context.layout(operands[0]);
  const boundTo = ({ storage: partial }: ChannelParts) =>
    what === "moments"
      ? bind(GATHER_INTERFACES.moments, {
          buffers: { partial },
          constants: { partial_quads: quads },
        })
      : bind(GATHER_INTERFACES.products, {
          buffers: { normalized: input!, mean: mean!, partial },
          constants: { partial_quads: quads, normalized: place!.inQuads() },
        });
  return {
    gathered: what,
    bound: (range = 0) => {
      const { parts } = left[range]!;
      return parts && boundTo(parts);
    },
  };
}
