/** Contractions over pixels as dispatches: parts of the columns or of K, and the sums of parts. */
import type { Node, Value } from "../ir/graph.js";
import {
  pixelContraction,
  type ColumnOrder,
  type PixelVariant,
} from "../kernels/contraction-pixels.js";
import { IDENTITY } from "../kernels/epilogue.js";
import { sumPartials } from "../kernels/pointwise.js";
import { isSplit, rowsPerBlock, type ContractionSchedule } from "../schedules/schedule.js";
import type { LoweringContext } from "./context.js";
import { dispatch, type Bound } from "./dispatch.js";
import type { LoweredEpilogue } from "./fused.js";
import type { ChannelParts, Gather } from "./gather.js";
import type { PixelPlace } from "../layout/activation-layout.js";
import { pieceLabel } from "../layout/parameters.js";
import type { Window } from "../layout/window.js";
import { perImage, type Storage } from "./storage.js";

/** A dispatch's share of the result: some of its columns, or of its K. */
export interface PixelPart {
  readonly a: Storage;
  readonly b: Storage;
  readonly window: PixelWindow;
  readonly groups: number;
  /** vec4 columns of each group in `b`, and the first of them in the output. */
  readonly columns: number;
  readonly firstQuad: number;
  readonly macs: number;
}

/** Where a part's operands lie; with the step from column to column where columns come first. */
export type PixelWindow = Window & { readonly b_group: number; readonly b_column?: number };

export interface PixelProblem {
  readonly label: string;
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

/** Where results go: an activation, or an activation whose image is taken for one long pixel. */
export interface PixelResult {
  readonly storage: Storage;
  readonly pixels: number;
  readonly width: number;
  readonly quads: number;
  readonly place: PixelPlace;
}

export function resultOf(context: LoweringContext, output: Value): PixelResult {
  const layout = context.layout(output);
  const { pixels, width, quads } = layout;
  return { storage: context.storageOf(output), pixels, width, quads, place: layout.inQuads() };
}

/** How a range of batches is lowered: its schedule, and what it leaves. */
export interface PixelChoice {
  readonly schedule: ContractionSchedule;
  readonly left?: ChannelParts | undefined;
}

export type PixelNode = Pick<Node, "origin">;

/**
 * The parts of a contraction over pixels and, where K is split or its parts are in several buffers,
 * the sum of what they make.
 */
export function emitPixels(
  context: LoweringContext,
  node: PixelNode,
  problem: PixelProblem,
  { schedule, left }: PixelChoice,
): void {
  const { result, parts, order } = problem;
  if (!isSplit(schedule)) return emitWhole(context, node, problem, { schedule, left });
  const isOfK = order === "columns first";
  const splits = schedule.splits! * (isOfK ? parts.length : 1);
  const partials: Storage = {
    name: `${problem.label} partials`,
    purpose: "scratch",
    bytes: perImage(16 * splits * result.pixels * result.quads),
  };
  for (const [index, part] of parts.entries()) {
    emitPart(context, node, problem, {
      ...{ schedule, part, label: partLabel(problem, part) },
      variant: { epilogue: IDENTITY, order },
      result: partials,
      constants: {
        groups: part.groups,
        splits: schedule.splits!,
        first_split: isOfK ? index * schedule.splits! : 0,
        quads: result.quads,
      },
    });
  }
  emitSum(context, node, problem, { partials, splits });
}

/** Contractions that finish what they sum. */
function emitWhole(
  context: LoweringContext,
  node: PixelNode,
  problem: PixelProblem,
  { schedule, left }: PixelChoice,
): void {
  const { result, finish, parts, order, gather } = problem;
  for (const part of parts) {
    emitPart(context, node, problem, {
      ...{ schedule, part, label: partLabel(problem, part) },
      variant: { epilogue: finish.epilogue, order, gathered: gather?.gathered },
      result: result.storage,
      constants: { y: result.place },
      fragments: [finish.bound, left && gather?.bound(left.storage)],
    });
  }
}

const partLabel = ({ label, parts }: PixelProblem, part: PixelPart) =>
  pieceLabel(label, parts.indexOf(part), parts.length);

export interface PartDispatch {
  readonly schedule: ContractionSchedule;
  readonly part: PixelPart;
  readonly label: string;
  readonly variant: Omit<PixelVariant, "schedule">;
  /** Where its sums go: the result, or memory for parts of K. */
  readonly result: Storage;
  /** Where they lie there. */
  readonly constants: { readonly y: PixelPlace } | PartOfK;
  readonly fragments?: readonly (Bound | undefined)[];
}

/** Which of the parts of K a dispatch makes. */
interface PartOfK {
  readonly groups: number;
  readonly splits: number;
  readonly first_split: number;
  readonly quads: number;
}

export function emitPart(
  context: LoweringContext,
  { origin }: PixelNode,
  problem: Pick<PixelProblem, "result">,
  { schedule, part, label, variant, result, constants, fragments }: PartDispatch,
): void {
  const { pixels, width } = problem.result;
  const blocks = Math.ceil(part.columns / schedule.columns);
  context.emit(
    dispatch(pixelContraction({ schedule, ...variant }), {
      buffers: { a: part.a, b: part.b, result },
      constants: {
        ...{ pixels, width, columns: part.columns, column_blocks: blocks },
        first_quad: part.firstQuad,
        ...part.window,
        ...constants,
      },
      ...(fragments && { fragments }),
      workgroups: {
        x: { ...perImage(pixels), tile: rowsPerBlock(schedule) },
        z: blocks * part.groups * (schedule.splits ?? 1),
      },
      ...{ label, origin, macs: part.macs },
    }),
  );
}

function emitSum(
  context: LoweringContext,
  { origin }: PixelNode,
  { label, result, finish }: PixelProblem,
  { partials, splits }: { readonly partials: Storage; readonly splits: number },
): void {
  const { pixels, width, quads, place } = result;
  context.emit(
    dispatch(sumPartials().in({ form: "quads", epilogue: finish.epilogue }), {
      buffers: { partials, result: result.storage },
      constants: { pixels, width, quads, splits, y: place },
      fragments: [finish.bound],
      threads: perImage(pixels * quads),
      label: `${label} (sum)`,
      origin,
    }),
  );
}
