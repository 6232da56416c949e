/** Reductions of each channel whose first half is done by the kernel that makes what they reduce. */
import type { Affine, BatchRange } from "../../program/program.js";
import type { AnyNode, Node } from "../ir/graph.js";
import { gathering, type Gathered } from "../kernels/gather.js";
import type { LoweringContext } from "./context.js";
import { labelOf } from "./labels.js";
import type { Storage } from "./storage.js";

/** What a kernel is to leave of its results. */
export interface Gather {
  readonly gathered: Gathered;
  /** What else the kernel reads. */
  readonly storage: readonly Storage[];
  readonly constants: Readonly<Record<string, number>>;
}

/** The parts of a channel's values, of so many each, that are to be joined. */
export interface ChannelParts {
  readonly storage: Storage;
  readonly values: number;
}

/** The parts that are left for a range of batches; the reduction makes its own without them. */
export interface LeftParts {
  readonly batches?: BatchRange;
  readonly parts?: ChannelParts;
}

/** Room for the parts of so many values of a channel, each of which leaves so many vec4 of a quad. */
export function partsBytes(parts: {
  readonly left: number;
  readonly quads: number;
  readonly values: number;
  readonly pixels: number;
}): Affine {
  const bytes = 16 * parts.left * parts.quads;
  return { fixed: bytes, perImage: bytes * Math.ceil(parts.pixels / parts.values) };
}

/** What the kernel of a node's result is to leave. */
export function gatherFor(
  context: LoweringContext,
  { fusion, outputs }: Pick<Node, "fusion" | "outputs">,
): Gather | undefined {
  if (!fusion?.leaves) return undefined;
  const { what, operands } = fusion.leaves;
  const [input] = operands;
  return {
    gathered: what,
    storage: operands.map((value) => context.storageOf(value)),
    constants: {
      partial_quads: context.layout(outputs[0]!).quads,
      ...(input && context.layout(input).place("input")),
    },
  };
}

/** What a node leaves, by range of batches: the same memory for the node and for the reduction. */
export function leftBy(context: LoweringContext, node: AnyNode): readonly LeftParts[] {
  const known = context.left.get(node);
  if (known) return known;
  const left = context.plan.partsOf(node).map(({ batches, values }) => ({
    ...(batches && { batches }),
    ...(values !== undefined && { parts: partsOf(context, node, values) }),
  }));
  context.left.set(node, left);
  return left;
}

/** What is left for a reduction. */
export function leftFor(context: LoweringContext, reduction: AnyNode): readonly LeftParts[] {
  const maker = context.uses.maker(reduction.inputs[0]!);
  const isLeft = maker?.fusion?.leaves?.reduction === reduction.outputs[0];
  return maker && isLeft ? leftBy(context, maker) : [{}];
}

function partsOf(context: LoweringContext, node: AnyNode, values: number): ChannelParts {
  const { what } = node.fusion!.leaves!;
  const { quads, pixels } = context.layout(node.outputs[0]!);
  const bytes = partsBytes({ left: gathering(what).left, quads, values, pixels });
  const name = `${labelOf(node)} ${what}`;
  return { storage: { name, purpose: "scratch", bytes }, values };
}
