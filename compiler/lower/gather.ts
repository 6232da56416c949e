/** Reductions of each channel whose first half is done by the kernel that makes what they reduce. */
import type { Affine } from "../../program/program.js";
import type { AnyNode, Value } from "../ir/graph.js";
import { gathering, type Gathered } from "../kernels/gather.js";
import { MOST_BINDINGS } from "../../program/limits.js";
import type { LoweringContext } from "./context.js";
import type { Storage } from "./storage.js";

/** What a kernel is to leave of its results, and for which reduction. */
export interface Gather {
  readonly reduction: AnyNode;
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

/** The reduction that the kernel of a value can begin, if it binds so many buffers apart from that. */
export function gatherFor(
  context: LoweringContext,
  value: Value,
  bindings: number,
): Gather | undefined {
  // Of what is stored in 16 bits, the reduction is of the values as they are stored, which this kernel has not yet rounded.
  if (!context.joinsKernels || context.isHalf(value)) return undefined;
  const reduction = context.uses
    .readers(value)
    .find(
      ({ kind, inputs }) =>
        (kind === "channelStatistics" || kind === "normalizeGradient") && inputs[0] === value,
    );
  const gather = reduction && gatherInto(context, reduction);
  if (!gather) return undefined;
  return bindings + gathering(gather.gathered).storage.length <= MOST_BINDINGS ? gather : undefined;
}

function gatherInto(context: LoweringContext, reduction: AnyNode): Gather | undefined {
  const [value, input, mean] = reduction.inputs as [Value, Value, Value];
  const constants = { partial_quads: context.layout(value).quads };
  if (reduction.kind === "channelStatistics") {
    return { reduction, gathered: "moments", storage: [], constants };
  }
  // The input may be computed again, after the gradient.
  if (!context.isMade(input)) return undefined;
  return {
    reduction,
    gathered: "products",
    storage: [context.storageOf(input), context.storageOf(mean)],
    constants: { ...constants, ...context.layout(input).place("input") },
  };
}
