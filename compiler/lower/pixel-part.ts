/** A dispatch of a contraction over pixels: some columns of the result, or some of K. */
import type { BatchRange } from "../../program/program.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import type { Node, Value } from "../ir/graph.js";
import {
  pixelContraction,
  type ColumnOrder,
  type PixelVariant,
} from "../kernels/contraction-pixels.js";
import type { Place } from "../ir/place.js";
import type { Window } from "../layout/window.js";
import { perImage, type Storage } from "../plan/storage.js";
import { rowsPerBlock, type ContractionSchedule } from "../schedules/schedule.js";
import type { LoweringContext } from "./context.js";
import { dispatch, type Bound } from "./dispatch.js";
import type { LoweredEpilogue } from "./fused.js";
import type { Gather } from "./gather.js";
import type { StepDraft } from "./step-draft.js";

/** A dispatch's share of the result: some of its columns, or of its K. */
export interface PixelPart {
  readonly input: Storage;
  readonly weights: Storage;
  readonly window: PixelWindow;
  readonly groups: number;
  /** vec4 columns of each group in `b`, and the first of them in the output. */
  readonly columns: number;
  readonly firstQuad: number;
  readonly macs: number;
}

/** Where a part's operands lie; with the step from column to column where columns come first. */
export type PixelWindow = Window & {
  readonly weights_group: number;
  readonly weights_column?: number;
};

export interface PixelProblem {
  readonly result: PixelResult;
  readonly finish: LoweredEpilogue;
  readonly parts: readonly PixelPart[];
  /**
   * `columns first`: the weights of a linear layer, for its input gradient. Parts are then of K,
   * and summed.
   */
  readonly order?: ColumnOrder;
  /** What the kernel is to leave for a reduction. */
  readonly gather?: Gather | undefined;
}

/** Where results go: an activation, or an activation whose image is read as one long pixel. */
export interface PixelResult {
  readonly storage: Storage;
  readonly pixels: number;
  readonly width: number;
  readonly quads: number;
  readonly place: Place;
}

export function resultOf(context: LoweringContext, output: Value): PixelResult {
  const layout = context.layout(output);
  const { pixels, width, quads } = layout;
  return { storage: context.storageOf(output), pixels, width, quads, place: layout.inQuads() };
}

/** What the dispatches of a range of batches have in common. */
export interface PixelCommon {
  readonly origin: Node["origin"];
  readonly label: string;
  readonly schedule: ContractionSchedule;
  readonly batches: BatchRange | undefined;
}

export interface PartDispatch {
  readonly result: Pick<PixelResult, "pixels" | "width">;
  readonly label: string;
  readonly variant: Omit<PixelVariant, "schedule">;
  /** Where its sums go: the result, or memory for parts of K. */
  readonly to: Storage;
  /** Where they lie there. */
  readonly constants: { readonly result: Place } | PartOfK;
  readonly fragments?: readonly (Bound | undefined)[];
}

/** Which of the parts of K a dispatch makes. */
interface PartOfK {
  readonly groups: number;
  readonly splits: number;
  readonly first_split: number;
  readonly quads: number;
}

export function partStep(
  { schedule, origin, batches }: PixelCommon,
  part: PixelPart,
  { result, label, variant, to, constants, fragments }: PartDispatch,
): StepDraft {
  const { pixels, width } = result;
  const blocks = Math.ceil(part.columns / schedule.columns);
  return dispatch(pixelContraction({ schedule, ...variant }), {
    buffers: { input: part.input, weights: part.weights, result: to },
    constants: {
      pixels,
      width,
      columns: part.columns,
      column_blocks: blocks,
      first_quad: part.firstQuad,
      ...part.window,
      ...constants,
    },
    ...withoutUndefined({ fragments }),
    workgroups: {
      x: { ...perImage(pixels), tile: rowsPerBlock(schedule) },
      z: blocks * part.groups * (schedule.splits ?? 1),
    },
    label,
    origin,
    macs: part.macs,
    batches,
  });
}
