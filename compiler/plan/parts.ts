/** Reductions of each channel, whose first half the kernel that makes their values may do. */
import type { Affine, BatchRange } from "../../program/program.js";
import { PART_QUADS, type LeftParts } from "../ir/fusion.js";
import type { AnyNode, Node } from "../ir/graph.js";
import type { ActivationLayout } from "../layout/activation-layout.js";
import { accumulatedRows } from "../schedules/schedule.js";
import { PART_VALUES } from "../schedules/reductions.js";
import type { ContractionPlan } from "./contractions.js";
import { labelOf } from "./labels.js";
import type { PixelRange } from "./pixels.js";
import { layoutOf, type GraphSettings } from "./settings.js";
import { scratch, type Storage } from "./storage.js";

/** The parts of a channel's values, of equal size, that are to be joined. */
export interface ChannelParts {
  readonly storage: Storage;
  readonly values: number;
}

/** What a node leaves for a reduction of its result, for a range of batches. */
export interface RangedParts {
  /** All batches if absent. */
  readonly batches?: BatchRange;
  /** Nothing if absent: the reduction makes its own. */
  readonly parts?: ChannelParts;
}

/** What a reduction joins, for a range of batches. */
export interface ReductionRange {
  readonly batches?: BatchRange;
  readonly parts: ChannelParts;
  /** Lines of an image to a lane, where the reduction makes the parts itself. */
  readonly lines?: number;
}

export type ReductionNode = Node<"channelStatistics"> | Node<"normalizeGradient">;

export const isReduction = (node: AnyNode): node is AnyNode & ReductionNode =>
  node.kind === "channelStatistics" || node.kind === "normalizeGradient";

/**
 * What a node leaves for the reduction that its fusion names. A contraction leaves parts unless its
 * schedule splits K or goes Winograd's way: then another kernel makes the result.
 */
export function leftParts(
  settings: GraphSettings,
  node: AnyNode,
  contraction: ContractionPlan | undefined,
): readonly RangedParts[] {
  const { leaves } = node.fusion!;
  const layout = layoutOf(settings, node.outputs[0]!);
  const name = `${labelOf(node)} ${leaves!.what}`;
  const partsOf = (values: number) => channelParts(name, { what: leaves!.what, layout, values });
  // Elsewhere a lane makes a line of pixels.
  if (contraction?.form !== "pixels") return [{ parts: partsOf(layout.width) }];
  return contraction.ranges.map(({ way, schedule, batches }: PixelRange) => ({
    batches,
    parts: way.kind === "whole" ? partsOf(accumulatedRows(schedule)) : undefined,
  }));
}

/** What a reduction joins: the parts that the previous kernel leaves, or else new parts. */
export function planReduction(
  settings: GraphSettings,
  node: ReductionNode,
  left: readonly RangedParts[] = [{}],
): readonly ReductionRange[] {
  const isMoments = node.kind === "channelStatistics";
  const what = isMoments ? "moments" : "products";
  const layout = layoutOf(settings, node.inputs[isMoments ? 0 : 1]!);
  const lines = Math.ceil(PART_VALUES / layout.width);
  const name = `${labelOf(node)} of parts`;
  const own = () => channelParts(name, { what, layout, values: lines * layout.width });
  return left.map(({ batches, parts }) =>
    parts ? { batches, parts } : { batches, parts: own(), lines },
  );
}

interface PartSizes {
  readonly what: LeftParts["what"];
  /** Of the activation that is reduced. */
  readonly layout: ActivationLayout;
  /** Of a channel, in each part. */
  readonly values: number;
}

function channelParts(name: string, { what, layout, values }: PartSizes): ChannelParts {
  const bytes = 16 * PART_QUADS[what] * layout.quads;
  const room: Affine = { fixed: bytes, perImage: bytes * Math.ceil(layout.pixels / values) };
  return { storage: scratch(name, room), values };
}
