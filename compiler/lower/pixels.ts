/** Contractions over pixels as dispatches: parts of the columns or of K, and the sums of parts. */
import type { Node, Value } from "../ir/graph.js";
import { pixelContraction, type ColumnOrder } from "../kernels/contraction-pixels.js";
import { IDENTITY } from "../kernels/epilogue.js";
import type { Kernel } from "../kernels/kernel.js";
import { POINTWISE_WORKGROUP, sumPartials } from "../kernels/pointwise.js";
import { isSplit, rowsPerBlock, type ContractionSchedule } from "../schedules/schedule.js";
import type { LoweringContext } from "./context.js";
import type { LoweredEpilogue } from "./fused.js";
import type { ChannelParts, Gather } from "./gather.js";
import { pieceLabel } from "../layout/parameters.js";
import { perImage, type Storage } from "./storage.js";
import type { Constants } from "../layout/window.js";

/** A dispatch's share of the result: some of its columns, or of its K. */
export interface PixelPart {
  readonly a: Storage;
  readonly b: Storage;
  readonly window: Constants;
  readonly groups: number;
  /** vec4 columns of each group in `b`, and the first of them in the output. */
  readonly columns: number;
  readonly firstQuad: number;
  readonly macs: number;
}

export interface PixelProblem {
  readonly label: string;
  readonly result: PixelResult;
  readonly finish: LoweredEpilogue;
  readonly parts: readonly PixelPart[];
  /** `columns first`: the weights of a linear layer, for its input gradient. Parts are then of K, and summed. */
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
  readonly place: Constants;
}

export function resultOf(context: LoweringContext, output: Value): PixelResult {
  const layout = context.layout(output);
  const { pixels, width, quads } = layout;
  return { storage: context.storageOf(output), pixels, width, quads, place: layout.place("y") };
}

/** How a range of batches is lowered: its schedule, and what it leaves. */
export interface PixelChoice {
  readonly schedule: ContractionSchedule;
  readonly left?: ChannelParts | undefined;
}

export type PixelNode = Pick<Node, "origin">;

/** The parts of a contraction over pixels and, where K is split or its parts are in several buffers, the sum of what they make. */
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
      kernel: pixelContraction(schedule, IDENTITY, { order }),
      storage: [part.a, part.b, partials],
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
      kernel: pixelContraction(schedule, finish.epilogue, { order, gathered: gather?.gathered }),
      storage: [
        ...[part.a, part.b, result.storage, ...finish.storage],
        ...(gather && left ? [...gather.storage, left.storage] : []),
      ],
      constants: { ...result.place, ...finish.constants, ...gather?.constants },
    });
  }
}

const partLabel = ({ label, parts }: PixelProblem, part: PixelPart) =>
  pieceLabel(label, parts.indexOf(part), parts.length);

export interface PartDispatch {
  readonly schedule: ContractionSchedule;
  readonly part: PixelPart;
  readonly label: string;
  readonly kernel: Kernel;
  readonly storage: readonly Storage[];
  readonly constants: Constants;
}

export function emitPart(
  context: LoweringContext,
  node: PixelNode,
  { result }: Pick<PixelProblem, "result">,
  { schedule, part, label, kernel, storage, constants }: PartDispatch,
): void {
  const blocks = Math.ceil(part.columns / schedule.columns);
  context.emit({
    kernel,
    storage,
    constants: {
      pixels: result.pixels,
      width: result.width,
      columns: part.columns,
      column_blocks: blocks,
      first_quad: part.firstQuad,
      ...part.window,
      ...constants,
    },
    workgroups: {
      x: { ...perImage(result.pixels), tile: rowsPerBlock(schedule) },
      z: blocks * part.groups * (schedule.splits ?? 1),
    },
    label,
    origin: node.origin,
    macs: part.macs,
  });
}

function emitSum(
  context: LoweringContext,
  { origin }: PixelNode,
  { label, result, finish }: PixelProblem,
  { partials, splits }: { readonly partials: Storage; readonly splits: number },
): void {
  const { pixels, width, quads } = result;
  context.emit({
    kernel: sumPartials(finish.epilogue),
    storage: [partials, result.storage, ...finish.storage],
    constants: { pixels, width, quads, splits, ...result.place, ...finish.constants },
    workgroups: { x: { ...perImage(pixels * quads), tile: POINTWISE_WORKGROUP }, z: 1 },
    label: `${label} (sum)`,
    origin,
    macs: 0,
  });
}
