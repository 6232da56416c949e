/**
 * Reductions of each channel whose first half is done by the kernel that makes what they reduce.
 */
import type { Affine, BatchRange } from "../../program/program.js";
import type { AnyNode, Node } from "../ir/graph.js";
import { GATHER_INTERFACES, LEFT, type Gathered } from "../kernels/gather.js";
import type { LoweringContext } from "./context.js";
import { bind, type Bound } from "./dispatch.js";
import { labelOf } from "./labels.js";
import type { Storage } from "./storage.js";

/** What a kernel is to leave of its results. */
export interface Gather {
  readonly gathered: Gathered;
  /** What the fragment is given, with the memory for the parts. */
  readonly bound: (partial: Storage) => Bound;
  /** What else a kernel that is still assembled from text reads. */
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

/** Room for the parts of so many values of a channel. */
export function partsBytes(parts: {
  readonly gathered: Gathered;
  readonly quads: number;
  readonly values: number;
  readonly pixels: number;
}): Affine {
  const bytes = 16 * LEFT[parts.gathered] * parts.quads;
  return { fixed: bytes, perImage: bytes * Math.ceil(parts.pixels / parts.values) };
}

/** What the kernel of a node's result is to leave. */
export function gatherFor(
  context: LoweringContext,
  { fusion, outputs }: Pick<Node, "fusion" | "outputs">,
): Gather | undefined {
  if (!fusion?.leaves) return undefined;
  const { what, operands } = fusion.leaves;
  const { quads } = context.layout(outputs[0]!);
  const [input, mean] = operands.map((value) => context.storageOf(value));
  const place = operands[0] && context.layout(operands[0]);
  return {
    gathered: what,
    bound: (partial) =>
      what === "moments"
        ? bind(GATHER_INTERFACES.moments, {
            buffers: { partial },
            constants: { partial_quads: quads },
          })
        : bind(GATHER_INTERFACES.products, {
            buffers: { input: input!, mean: mean!, partial },
            constants: { partial_quads: quads, input: place!.inQuads() },
          }),
    storage: operands.map((value) => context.storageOf(value)),
    constants: { partial_quads: quads, ...place?.place("input") },
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
  const bytes = partsBytes({ gathered: what, quads, values, pixels });
  const name = `${labelOf(node)} ${what}`;
  return { storage: { name, purpose: "scratch", bytes }, values };
}
