import type { BatchRange } from "../../program/program.js";
import type { Node, Value } from "../ir/graph.js";
import { rowsPerBlock, weightContraction } from "../kernels/contraction.js";
import { RANK_IMAGES, RANK_ROWS, rankUpdate } from "../kernels/rank-update.js";
import type { ContractionSchedule } from "../kernels/schedule.js";
import type { Descent, GradientUse } from "../kernels/update.js";
import { roundUpTo4, type ActivationLayout } from "./activation-layout.js";
import type { LoweringContext } from "./context.js";
import { lowerDirectWeightGradient } from "./direct.js";
import { ConvolutionGeometry } from "./geometry.js";
import {
  lowerBiasSink,
  lowerGradientSink,
  type BiasSink,
  type LoweredSink,
} from "./gradient-sink.js";
import { pieceLabel, type Piece } from "./parameters.js";
import { fixed, type Storage } from "./storage.js";
import { productWindow, window, windowSteps, type Constants } from "./window.js";

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
  const { pieces } = sink.parameter;
  const rank = isProduct && sink.use !== "stored" && context.schedules.connectedUpdate;
  for (const [index, piece] of pieces.entries()) {
    if (rank) emitRankUpdate(context, node, { schedule: rank, geometry, sink, bias, index });
    emitWeightGradient(context, node, {
      ...(rank && { batches: { atLeast: RANK_IMAGES + 1 } }),
      schedule: isProduct ? context.schedules.connectedWeights : context.schedules.weights,
      geometry,
      window: a,
      piece,
      use: sink.use,
      bias,
      storage: sink.storage(index),
      constants: sink.constants,
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
  readonly schedule: ContractionSchedule;
  readonly geometry: ConvolutionGeometry;
  readonly window: Constants;
  readonly piece: Piece;
  readonly use: GradientUse;
  readonly bias: BiasSink | undefined;
  readonly storage: readonly Storage[];
  readonly constants: Constants;
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
  const place = context.layout(gradient).place("b");
  context.emit({
    kernel: rankUpdate(schedule, sink.use as Descent, bias?.use),
    storage: [
      ...[context.storageOf(input), context.storageOf(gradient)],
      ...sink.storage(index),
      ...(bias?.storage ?? []),
    ],
    constants: {
      features,
      columns,
      first_quad: piece.start / 4,
      a_image: features,
      b_image: place.b_image!,
      b_base: place.b_base!,
      ...sink.constants,
      ...bias?.constants,
    },
    workgroups: {
      x: { ...fixed(columns), tile: schedule.columns },
      z: Math.ceil(features / RANK_ROWS),
    },
    label: pieceLabel(`${node.origin.name} weight update`, index, pieces.length),
    origin: node.origin,
    macs: geometry.macs * (piece.count / geometry.outputs),
    batches: { atMost: RANK_IMAGES },
  });
}

function emitWeightGradient(
  context: LoweringContext,
  node: Node<"convolutionWeightGradient">,
  { schedule, geometry, window: a, piece, runValues: values, ...problem }: WeightProblem,
): void {
  const [input, gradient] = node.inputs as [Value, Value];
  const columns = roundUpTo4(piece.count) / 4;
  const blocks = Math.ceil(columns / schedule.columns);
  const quads = a.segments! * a.run!;
  context.emit({
    kernel: weightContraction(schedule, problem.use, problem.bias?.use),
    storage: [
      ...[context.storageOf(input), context.storageOf(gradient)],
      ...problem.storage,
      ...(problem.bias?.storage ?? []),
    ],
    constants: {
      height: geometry.outputSize[0],
      width: geometry.outputSize[1],
      columns,
      column_blocks: blocks,
      first_quad: piece.start / 4,
      row_quads: quads,
      run_values: values,
      ...a,
      y_group: 4 * quads * columns,
      ...context.layout(gradient).place("b"),
      ...problem.constants,
      ...problem.bias?.constants,
    },
    workgroups: {
      x: { ...fixed(quads), tile: rowsPerBlock(schedule) },
      z: blocks * node.attributes.groups,
    },
    label: problem.label,
    origin: node.origin,
    macs: geometry.macs * (piece.count / geometry.groupOutputs),
    ...(problem.batches && { batches: problem.batches }),
  });
}
