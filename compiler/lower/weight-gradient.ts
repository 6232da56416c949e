import { groupsOf, type PieceGroups } from "../../program/pieces.js";
import type { BatchRange } from "../../program/program.js";
import type { Node, Value } from "../ir/graph.js";
import { PARTIALS_INTERFACE, weightContraction } from "../kernels/contraction-weights.js";
import { RANK_IMAGES, RANK_ROWS, rankUpdate } from "../kernels/rank-update.js";
import { isSplit, rowsPerBlock, type ContractionSchedule } from "../schedules/schedule.js";
import type { Descent, GradientUse } from "../kernels/gradient-sink.js";
import { updateFromPartials } from "../kernels/update.js";
import { RANK_SCHEDULES, type ContractionProblem } from "../schedules/index.js";
import { roundUpTo4, type ActivationLayout } from "../layout/activation-layout.js";
import type { LoweringContext } from "./context.js";
import { bind, dispatch, type Bound } from "./dispatch.js";
import { lowerDirectWeightGradient } from "./direct.js";
import { ConvolutionGeometry } from "../layout/geometry.js";
import {
  lowerBiasSink,
  lowerGradientSink,
  type BiasSink,
  type LoweredSink,
} from "./gradient-sink.js";
import { pieceLabel, type Piece } from "../layout/parameters.js";
import { fixed, perImage, type Storage } from "./storage.js";
import { ofGroups, productWindow, window, windowSteps, type Window } from "../layout/window.js";

/** Weight gradient: rows are weights of a window, in the order in which the weights lie. */
export function lowerWeightGradient(
  context: LoweringContext,
  node: Node<"convolutionWeightGradient">,
): void {
  const [input, gradient] = node.inputs as [Value, Value];
  const geometry = new ConvolutionGeometry(node.attributes, input.shape, gradient.shape);
  if (geometry.isDirect) return lowerDirectWeightGradient(context, node, geometry);
  const layout = context.layout(input);
  const isProduct = geometry.coversInput && layout.isContiguous;
  const a = isProduct
    ? productWindow(layout)
    : window(layout, node.attributes.dilation, geometry, windowSteps(geometry));
  const sink = lowerGradientSink(context, node);
  const bias = lowerBiasSink(context, node);
  const { pieces, layout: lies } = sink.parameter;
  if (lies.kind !== "contraction") throw new Error(`${node.origin.name} is not a contraction`);
  const rank = isProduct && sink.use !== "stored" && RANK_SCHEDULES[context.target];
  for (const [index, piece] of pieces.entries()) {
    if (rank) emitRankUpdate(context, node, { schedule: rank, geometry, sink, bias, index });
    const held = groupsOf(piece, lies);
    emitWeightGradient(context, node, {
      ...(rank && { batches: { atLeast: RANK_IMAGES + 1 } }),
      geometry,
      window: ofGroups(a, held.first),
      ...{ piece, held },
      use: sink.use,
      bias,
      bound: sink.bound(index),
      label: pieceLabel(`${node.origin.name} weight ${sink.label}`, index, pieces.length),
      runValues: isProduct ? layout.imagePitch : runValues(layout, geometry),
    });
  }
}

/** Values of a run that are weights; the others are padding. */
function runValues(layout: ActivationLayout, { attributes }: ConvolutionGeometry): number {
  const { kernel, groups, dilation } = attributes;
  if (groups > 1) return layout.channels / groups;
  return dilation[1] === 1 ? kernel[1] * layout.pitch : layout.pitch;
}

interface WeightProblem {
  readonly geometry: ConvolutionGeometry;
  readonly window: Window;
  readonly piece: Piece;
  /** The groups that it holds. */
  readonly held: PieceGroups;
  readonly use: GradientUse;
  readonly bias: BiasSink | undefined;
  /** What the sink is given. */
  readonly bound: Bound;
  readonly label: string;
  readonly runValues: number;
  readonly batches?: BatchRange;
}

interface RankProblem {
  readonly schedule: ContractionSchedule;
  readonly geometry: ConvolutionGeometry;
  readonly sink: LoweredSink;
  readonly bias: BiasSink | undefined;
  /** Which of the parameter's pieces. */
  readonly index: number;
}

/** The form of a fully connected layer's update for a few images. */
function emitRankUpdate(
  context: LoweringContext,
  node: Node<"convolutionWeightGradient">,
  { schedule, geometry, sink, bias, index }: RankProblem,
): void {
  const [input, gradient] = node.inputs as [Value, Value];
  const { pieces } = sink.parameter;
  const piece = pieces[index]!;
  const features = context.layout(input).imagePitch;
  const columns = roundUpTo4(piece.count) / 4;
  const place = context.layout(gradient).inQuads();
  const kernel = rankUpdate({ schedule, descent: sink.use as Descent, bias: bias?.use });
  context.emit(
    dispatch(kernel, {
      buffers: { a: context.storageOf(input), b: context.storageOf(gradient) },
      constants: {
        features,
        columns,
        first_quad: piece.start / 4,
        a_image: features,
        b_image: place.image,
        b_base: place.base,
      },
      fragments: [sink.bound(index), bias?.bound.bias],
      workgroups: {
        x: { ...fixed(columns), tile: schedule.columns },
        z: Math.ceil(features / RANK_ROWS),
      },
      label: pieceLabel(`${node.origin.name} weight update`, index, pieces.length),
      origin: node.origin,
      macs: geometry.macs * (piece.count / geometry.outputs),
      batches: { atMost: RANK_IMAGES },
    }),
  );
}

function emitWeightGradient(
  context: LoweringContext,
  node: Node<"convolutionWeightGradient">,
  problem: WeightProblem,
): void {
  const { window: a, piece, held, geometry, bias } = problem;
  const [input, gradient] = node.inputs as [Value, Value];
  const columns = roundUpTo4(held.outputs) / 4;
  const quads = a.segments * a.run;
  const { count: groups } = held;
  const [height, width] = geometry.outputSize;
  const contraction: ContractionProblem = {
    form: "weights",
    rows: fixed(quads),
    columns: fixed(columns),
    depth: perImage(height * width),
    groups,
  };
  const partialBytes = 16 * partialQuads(problem, { groups, quads, columns });
  const schedule = context.schedule(contraction, { batches: problem.batches, partialBytes });
  const parts = isSplit(schedule) && partialsOf(problem, { schedule, groups, quads, columns });
  const blocks = Math.ceil(columns / schedule.columns);
  const kernel = weightContraction({ schedule, use: problem.use, bias: bias?.use });
  context.emit(
    dispatch(kernel, {
      buffers: { a: context.storageOf(input), b: context.storageOf(gradient) },
      constants: {
        ...{ height, width, columns, column_blocks: blocks, first_quad: piece.start / 4 },
        ...{ row_quads: quads, run_values: problem.runValues, y_group: 4 * quads * columns },
        ...a,
        b: context.layout(gradient).inQuads(),
        ...(parts && parts.constants),
        ...(parts && { weight_quads: parts.weightQuads }),
      },
      fragments: parts
        ? [bind(PARTIALS_INTERFACE, { buffers: { result: parts.storage }, constants: {} })]
        : [problem.bound, bias?.bound.bias],
      workgroups: {
        x: { ...fixed(quads), tile: rowsPerBlock(schedule) },
        z: blocks * groups * (schedule.splits ?? 1),
      },
      label: problem.label,
      origin: node.origin,
      macs: geometry.macs * (piece.count / geometry.outputs),
      batches: problem.batches,
    }),
  );
  if (parts) emitPartialUpdates(context, node, problem, parts);
}

/** Sums of parts of the batch: the weights' and, behind them, the bias's. */
interface Partials {
  readonly storage: Storage;
  readonly weightQuads: number;
  readonly constants: {
    readonly groups: number;
    readonly splits: number;
    readonly partial_quads: number;
  };
}

interface PartialSizes {
  readonly groups: number;
  readonly quads: number;
  readonly columns: number;
}

const weightQuads = ({ groups, quads, columns }: PartialSizes) => 4 * quads * columns * groups;

/** vec4 of a part's sums. */
const partialQuads = ({ bias }: WeightProblem, sizes: PartialSizes) =>
  weightQuads(sizes) + (bias?.quads ?? 0);

function partialsOf(
  problem: WeightProblem,
  { schedule, ...sizes }: PartialSizes & { readonly schedule: ContractionSchedule },
): Partials {
  const splits = schedule.splits!;
  const each = partialQuads(problem, sizes);
  return {
    storage: {
      name: `${problem.label} partials`,
      purpose: "scratch",
      bytes: fixed(16 * splits * each),
    },
    weightQuads: weightQuads(sizes),
    constants: { groups: sizes.groups, splits, partial_quads: each },
  };
}

/** Some quads of the parts' sums, and what becomes of them. */
interface PartialUpdate {
  readonly use: GradientUse;
  readonly bound: Bound;
  readonly base: number;
  readonly first: number;
  readonly quads: number;
}

function emitPartialUpdates(
  context: LoweringContext,
  { origin }: Node<"convolutionWeightGradient">,
  { label, piece, use, bound, bias, batches }: WeightProblem,
  partials: Partials,
): void {
  const { splits, partial_quads } = partials.constants;
  const emit = (sum: PartialUpdate) => {
    const { base, first, quads } = sum;
    context.emit(
      dispatch(updateFromPartials({ use: sum.use }), {
        buffers: { partials: partials.storage },
        constants: { first, quads, base, splits, partial_quads },
        fragments: [sum.bound],
        threads: fixed(quads),
        label: `${label} (sum)`,
        ...{ origin, batches },
      }),
    );
  };
  emit({ use, bound, base: 0, first: 0, quads: partials.weightQuads });
  // A piece sums the bias of its own output channels.
  const own = { first: piece.start / 4, quads: roundUpTo4(piece.count) / 4 };
  if (bias) emit({ ...own, use: bias.use, bound: bias.bound.weights, base: partials.weightQuads });
}
