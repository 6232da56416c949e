import type { Node, Value } from "../ir/graph.js";
import {
  BIAS_PARTIALS_INTERFACE,
  PARTIALS_INTERFACE,
  weightContraction,
} from "../kernels/contraction-weights.js";
import type { Descent, GradientUse } from "../kernels/gradient-sink.js";
import { RANK_ROWS, rankUpdate } from "../kernels/rank-update.js";
import { updateFromPartials } from "../kernels/update.js";
import { roundUpTo4 } from "../layout/activation-layout.js";
import { geometryOf } from "../layout/geometry.js";
import { fixed } from "../plan/storage.js";
import type { WeightPartials, WeightPiece, WeightPlan } from "../plan/weights.js";
import { RANK_IMAGES } from "../schedules/index.js";
import { rowsPerBlock, type ContractionSchedule } from "../schedules/schedule.js";
import type { LoweringContext } from "./context.js";
import { lowerDirectWeightGradient } from "./direct.js";
import { bind, dispatch, type Bound } from "./dispatch.js";
import {
  lowerBiasSink,
  lowerGradientSink,
  type BiasSink,
  type LoweredSink,
} from "./gradient-sink.js";
import type { StepDraft } from "./step-draft.js";

type WeightNode = Node<"convolutionWeightGradient">;

/** Weight gradient: rows are weights of a window, in the order in which the weights lie. */
export function lowerWeightGradient(
  context: LoweringContext,
  node: WeightNode,
): readonly StepDraft[] {
  const plan = context.choice(node);
  if (plan.form === "direct") return lowerDirectWeightGradient(context, node);
  const sink = lowerGradientSink(context, node);
  const bias = lowerBiasSink(context, node);
  return plan.pieces.flatMap((piece, index) => {
    const own = { plan, piece, bias, use: sink.use, bound: sink.bound(index) };
    return [
      ...(plan.rank ? [rankStep(context, node, { ...own, schedule: plan.rank })] : []),
      contractionStep(context, node, own),
      ...partialSteps(node, own),
    ];
  });
}

/** One of the parameter's pieces, and where its gradient goes. */
interface WeightProblem extends Pick<LoweredSink, "use"> {
  readonly plan: WeightPlan;
  readonly piece: WeightPiece;
  readonly bias: BiasSink | undefined;
  /** What the sink is given. */
  readonly bound: Bound;
}

/** The form of a fully connected layer's update for a few images. */
function rankStep(
  context: LoweringContext,
  node: WeightNode,
  { schedule, piece, bias, ...sink }: WeightProblem & { readonly schedule: ContractionSchedule },
): StepDraft {
  const [input, gradient] = node.inputs as [Value, Value];
  const { start, count } = piece.piece;
  const { macs, outputs } = geometryOf(node);
  const features = context.layout(input).imagePitch;
  const columns = roundUpTo4(count) / 4;
  const place = context.layout(gradient).inQuads();
  return dispatch(rankUpdate({ schedule, use: sink.use as Descent, bias: bias?.use }), {
    buffers: { input: context.storageOf(input), gradient: context.storageOf(gradient) },
    constants: {
      features,
      columns,
      first_quad: start / 4,
      input_image: features,
      gradient_image: place.image,
      gradient_base: place.base,
    },
    fragments: [sink.bound, bias?.bound.bias],
    workgroups: {
      x: { ...fixed(columns), tile: schedule.columns },
      z: Math.ceil(features / RANK_ROWS),
    },
    label: piece.label,
    origin: node.origin,
    macs: macs * (count / outputs),
    batches: { atMost: RANK_IMAGES },
  });
}

function contractionStep(
  context: LoweringContext,
  node: WeightNode,
  { plan, piece: planned, use, bias, bound }: WeightProblem,
): StepDraft {
  const [input, gradient] = node.inputs as [Value, Value];
  const { piece, held, window, quads, columns, schedule, partials } = planned;
  const { outputSize, macs, outputs } = geometryOf(node);
  const [height, width] = outputSize;
  const { segments_per_row, segment_row, segment_column, run, input_group, input: place } = window;
  const blocks = Math.ceil(columns / schedule.columns);
  const ofParts = partials && {
    groups: held.count,
    splits: partials.splits,
    partial_quads: partials.quads,
  };
  return dispatch(weightContraction({ schedule, use, bias: bias?.use }), {
    buffers: { input: context.storageOf(input), gradient: context.storageOf(gradient) },
    constants: {
      height,
      width,
      columns,
      column_blocks: blocks,
      first_quad: piece.start / 4,
      row_quads: quads,
      run_values: plan.runValues,
      result_group: 4 * quads * columns,
      segments_per_row,
      segment_row,
      segment_column,
      run,
      input_group,
      input: place,
      gradient: context.layout(gradient).inQuads(),
      ...ofParts,
    },
    fragments: partials ? boundPartials(partials, bias) : [bound, bias?.bound.bias],
    workgroups: {
      x: { ...fixed(quads), tile: rowsPerBlock(schedule) },
      z: blocks * held.count * (schedule.splits ?? 1),
    },
    label: planned.label,
    origin: node.origin,
    macs: macs * (piece.count / outputs),
    batches: planned.batches,
  });
}

const boundPartials = (
  { storage, weightQuads }: WeightPartials,
  bias: BiasSink | undefined,
): readonly (Bound | undefined)[] => [
  bind(PARTIALS_INTERFACE, { buffers: { result: storage }, constants: {} }),
  bias && bind(BIAS_PARTIALS_INTERFACE, { buffers: {}, constants: { weight_quads: weightQuads } }),
];

/** Some quads of the parts' sums, and what becomes of them. */
interface PartialUpdate {
  readonly use: GradientUse;
  readonly bound: Bound;
  readonly base: number;
  readonly first: number;
  readonly quads: number;
}

/** The sums of the parts of the batch, where it was split. */
function partialSteps(
  node: WeightNode,
  { piece: { partials, piece, label, batches }, use, bound, bias }: WeightProblem,
): readonly StepDraft[] {
  if (!partials) return [];
  const { weightQuads } = partials;
  const own = { first: piece.start / 4, quads: roundUpTo4(piece.count) / 4 };
  const updates: readonly PartialUpdate[] = [
    { use, bound, base: 0, first: 0, quads: weightQuads },
    // A piece sums the bias of only its output channels.
    ...(bias ? [{ ...own, use: bias.use, bound: bias.bound.weights, base: weightQuads }] : []),
  ];
  const common = { label: `${label} (sum)`, origin: node.origin, batches };
  return updates.map((update) => sumStep(common, update, partials));
}

const sumStep = (
  common: Pick<StepDraft, "label" | "origin"> & { batches: StepDraft["batches"] | undefined },
  { use, bound, base, first, quads }: PartialUpdate,
  { storage, splits, quads: partQuads }: WeightPartials,
): StepDraft =>
  dispatch(updateFromPartials({ use }), {
    buffers: { partials: storage },
    constants: { first, quads, base, splits, partial_quads: partQuads },
    fragments: [bound],
    threads: fixed(quads),
    ...common,
  });
