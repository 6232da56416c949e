import type { Node, Value } from "../ir/graph.js";
import {
  directConvolution,
  directInputGradient,
  directWeightGradient,
  DIRECT_WEIGHTS_WORKGROUP,
} from "../kernels/direct.js";
import { COPY_WORKGROUP, flipWeights } from "../kernels/copy.js";
import { IDENTITY } from "../kernels/epilogue.js";
import {
  featureContraction,
  pixelContraction,
  rowsPerBlock,
  weightContraction,
} from "../kernels/contraction.js";
import { POINTWISE_WORKGROUP } from "../kernels/pointwise.js";
import type { GradientUse } from "../kernels/update.js";
import { RANK_IMAGES, RANK_ROWS, rankUpdate } from "../kernels/rank-update.js";
import type { ContractionSchedule } from "../kernels/schedule.js";
import type { BatchRange } from "../../program/program.js";
import { elementCount } from "../ir/shape.js";
import { roundUpTo4, type ActivationLayout, type Steps } from "./activation-layout.js";
import type { LoweringContext } from "./context.js";
import { lowerEpilogue, type LoweredEpilogue } from "./fused.js";
import { ConvolutionGeometry } from "./geometry.js";
import { lowerGradientSink, type LoweredSink } from "./gradient-sink.js";
import { contractionRows, type Piece } from "./parameters.js";
import { fixed, perImage, type Storage } from "./storage.js";

type Constants = Record<string, number>;

/** Forward: rows are output pixels; a layer whose window covers the input is a matrix product over its features. */
export function lowerConvolution(context: LoweringContext, node: Node<"convolution">): void {
  const [input, weights] = node.inputs as [Value, Value];
  const output = node.outputs[0]!;
  const geometry = new ConvolutionGeometry(node.attributes, input.shape, output.shape);
  const finish = lowerEpilogue(context, node.attributes.epilogue, node.inputs, output);
  if (geometry.isDirect) return lowerDirectConvolution(context, node, geometry, finish);
  const layout = context.layout(input);
  const isProduct = geometry.coversInput && layout.isContiguous;
  const pieces = context.parameter(weights).pieces;
  for (const [index, piece] of pieces.entries()) {
    emitPixels(context, node, {
      schedule: isProduct ? context.schedules.connected : context.schedules.convolution,
      label: pieceLabel(`${node.origin.name} forward`, index, pieces.length),
      a: context.storageOf(input),
      b: context.piecesOf(weights)[index]!,
      window: isProduct
        ? productWindow(layout)
        : {
            ...window(layout, geometry.attributes.dilation, geometry, windowSteps(geometry)),
            b_group: groupQuads(context, weights),
          },
      output,
      columns: roundUpTo4(piece.count) / 4,
      firstQuad: piece.start / 4,
      finish,
      macs: convolutionMacs(geometry) * (piece.count / geometry.groupOutputs),
    });
  }
}

const pieceLabel = (label: string, index: number, count: number) =>
  count === 1 ? label : `${label} (${index + 1} of ${count})`;

function convolutionMacs(geometry: ConvolutionGeometry): number {
  const [height, width] = geometry.outputSize;
  const [kernelHeight, kernelWidth] = geometry.attributes.kernel;
  return height * width * geometry.outputs * geometry.groupInputs * kernelHeight * kernelWidth;
}

interface PixelProblem {
  readonly schedule: ContractionSchedule;
  readonly label: string;
  readonly a: Storage;
  readonly b: Storage;
  readonly window: Constants;
  readonly output: Value;
  /** vec4 columns of each group in `b`, and the first of them in the output. */
  readonly columns: number;
  readonly firstQuad: number;
  readonly groups?: number;
  readonly finish: LoweredEpilogue;
  readonly macs: number;
}

function emitPixels(
  context: LoweringContext,
  node: { readonly origin: Node["origin"]; readonly attributes: { readonly groups: number } },
  problem: PixelProblem,
): void {
  const { schedule, columns, finish } = problem;
  const { groups } = node.attributes;
  const layout = context.layout(problem.output);
  const blocks = Math.ceil(columns / schedule.columns);
  context.emit({
    kernel: pixelContraction(schedule, finish.epilogue),
    storage: [problem.a, problem.b, context.storageOf(problem.output), ...finish.storage],
    constants: {
      pixels: layout.pixels,
      width: layout.width,
      columns,
      column_blocks: blocks,
      first_quad: problem.firstQuad,
      ...problem.window,
      ...layout.place("y"),
      ...finish.constants,
    },
    workgroups: {
      x: { ...perImage(layout.pixels), tile: rowsPerBlock(schedule) },
      z: blocks * groups,
    },
    label: problem.label,
    origin: node.origin,
    macs: problem.macs,
  });
}

/** The whole image of a matrix product is one run. */
function productWindow(layout: ActivationLayout): Constants {
  const run = layout.imagePitch / 4;
  return {
    ...{ segments: 1, segments_per_row: 1, segment_row: 0, segment_column: 0, run },
    ...{ a_group: 0, b_group: 0, a_image: run, a_row: 0, a_column: 0, a_base: 0 },
  };
}

const windowSteps = ({ corner, attributes }: ConvolutionGeometry): Steps => ({
  offset: [-corner[0], -corner[1]],
  stride: attributes.stride,
});

/**
 * The runs of a window over an activation: with one group and no dilation across, a kernel row is one run; else each tap is one.
 * The kernel and the groups are the geometry's, also where the activation is an output gradient.
 */
function window(
  layout: ActivationLayout,
  dilation: readonly [number, number],
  { attributes }: ConvolutionGeometry,
  steps: Steps,
): Constants {
  const { kernel, groups } = attributes;
  const groupPitch = groups === 1 ? layout.pitch : layout.channels / groups;
  const isRow = groups === 1 && dilation[1] === 1;
  const columns = isRow ? 1 : kernel[1];
  const run = (isRow ? roundUpTo4(kernel[1] * layout.pitch) : groupPitch) / 4;
  return {
    segments: kernel[0] * columns,
    segments_per_row: columns,
    segment_row: (dilation[0] * layout.rowPitch) / 4,
    segment_column: isRow ? 0 : (dilation[1] * layout.pitch) / 4,
    run,
    a_group: groups === 1 ? 0 : groupPitch / 4,
    b_group: 0,
    ...layout.place("a", steps),
  };
}

/** Input gradient: the output gradient, spread by the stride in its halo, convolved with flipped and transposed weights. */
export function lowerInputGradient(
  context: LoweringContext,
  node: Node<"convolutionInputGradient">,
): void {
  const [gradient, weights] = node.inputs as [Value, Value];
  const result = node.outputs[0]!;
  const geometry = new ConvolutionGeometry(node.attributes, result.shape, gradient.shape);
  const finish = lowerEpilogue(context, node.attributes.epilogue, node.inputs, result);
  if (geometry.isDirect) return lowerDirectInputGradient(context, node, geometry, finish);
  if (geometry.coversInput) {
    return lowerProductInputGradient(context, node, geometry, finish);
  }
  const { groups } = node.attributes;
  const layout = context.layout(gradient);
  const flipped = emitFlippedWeights(context, node, geometry, weights);
  const columns = roundUpTo4(geometry.groupInputs) / 4;
  const start = [geometry.gradientStart(0), geometry.gradientStart(1)] as const;
  const steps: Steps = { offset: [-start[0], -start[1]], stride: [1, 1] };
  emitPixels(context, node, {
    schedule: context.schedules.convolution,
    label: `${node.origin.name} input gradient`,
    a: context.storageOf(gradient),
    b: flipped,
    window: {
      ...window(layout, node.attributes.dilation, geometry, steps),
      b_group: (groups > 1 ? 1 : 0) * flippedQuads(geometry),
    },
    output: result,
    columns,
    firstQuad: 0,
    finish,
    macs: convolutionMacs(geometry),
  });
}

const taps = ({ attributes }: ConvolutionGeometry) => attributes.kernel[0] * attributes.kernel[1];

/** vec4 of one group's flipped weights. */
const flippedQuads = (geometry: ConvolutionGeometry) =>
  (taps(geometry) * roundUpTo4(geometry.groupOutputs) * roundUpTo4(geometry.groupInputs)) / 4;

function emitFlippedWeights(
  context: LoweringContext,
  node: Node<"convolutionInputGradient">,
  geometry: ConvolutionGeometry,
  weights: Value,
): Storage {
  const threads = node.attributes.groups * flippedQuads(geometry);
  const flipped: Storage = {
    name: `${weights.name} flipped`,
    purpose: "scratch",
    bytes: fixed(16 * threads),
  };
  context.emit({
    kernel: flipWeights(),
    storage: [context.storageOf(weights), flipped],
    constants: {
      input_quads: roundUpTo4(geometry.groupInputs) / 4,
      outputs: roundUpTo4(geometry.groupOutputs),
      taps: taps(geometry),
      threads,
    },
    workgroups: { x: { ...fixed(threads), tile: COPY_WORKGROUP }, z: 1 },
    label: `${node.origin.name} weights flipped`,
    origin: node.origin,
    macs: 0,
  });
  return flipped;
}

/** Input gradient of a matrix product: every piece of the weights adds its output channels' share; the last one finishes. */
function lowerProductInputGradient(
  context: LoweringContext,
  node: Node<"convolutionInputGradient">,
  geometry: ConvolutionGeometry,
  finish: LoweredEpilogue,
): void {
  const [gradient, weights] = node.inputs as [Value, Value];
  const schedule = context.schedules.connectedInput;
  const layout = context.layout(node.outputs[0]!);
  const features = layout.pixels * 4 * layout.quads;
  const pieces = context.parameter(weights).pieces;
  for (const [index, piece] of pieces.entries()) {
    const isLast = index === pieces.length - 1;
    const epilogue = isLast ? finish : { epilogue: IDENTITY, storage: [], constants: {} };
    const from = context.layout(gradient).place("b", undefined, piece.start / 4);
    context.emit({
      kernel: featureContraction(schedule, epilogue.epilogue, index === 0 ? "zero" : "stored"),
      storage: [
        context.piecesOf(weights)[index]!,
        context.storageOf(gradient),
        context.storageOf(node.outputs[0]!),
        ...epilogue.storage,
      ],
      constants: {
        features,
        quads: layout.quads,
        pixels: layout.pixels,
        width: layout.width,
        run: roundUpTo4(piece.count) / 4,
        b_image: from.b_image!,
        b_base: from.b_base!,
        ...layout.place("y"),
        ...epilogue.constants,
      },
      workgroups: {
        x: { ...perImage(1), tile: schedule.columns },
        z: Math.ceil(features / rowsPerBlock(schedule)),
      },
      label: pieceLabel(`${node.origin.name} input gradient`, index, pieces.length),
      origin: node.origin,
      macs: convolutionMacs(geometry) * (piece.count / geometry.outputs),
    });
  }
}

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
  const { pieces } = sink.parameter;
  const rank = isProduct && sink.use === "applied" && context.schedules.connectedUpdate;
  for (const [index, piece] of pieces.entries()) {
    if (rank) emitRankUpdate(context, node, { schedule: rank, geometry, sink, index });
    emitWeightGradient(context, node, {
      ...(rank && { batches: { atLeast: RANK_IMAGES + 1 } }),
      schedule: isProduct ? context.schedules.connectedWeights : context.schedules.weights,
      geometry,
      window: a,
      piece,
      use: sink.use,
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
  /** Which of the parameter's pieces. */
  readonly index: number;
}

/** The form of a fully connected layer's update for a few images. */
function emitRankUpdate(
  context: LoweringContext,
  node: Node<"convolutionWeightGradient">,
  { schedule, geometry, sink, index }: RankProblem,
): void {
  const [input, gradient] = node.inputs as [Value, Value];
  const { pieces } = sink.parameter;
  const piece = pieces[index]!;
  const features = context.layout(input).imagePitch;
  const columns = roundUpTo4(piece.count) / 4;
  const place = context.layout(gradient).place("b");
  context.emit({
    kernel: rankUpdate(schedule),
    storage: [context.storageOf(input), context.storageOf(gradient), ...sink.storage(index)],
    constants: {
      features,
      columns,
      first_quad: piece.start / 4,
      a_image: features,
      b_image: place.b_image!,
      b_base: place.b_base!,
      ...sink.constants,
    },
    workgroups: {
      x: { ...fixed(columns), tile: schedule.columns },
      z: Math.ceil(features / RANK_ROWS),
    },
    label: pieceLabel(`${node.origin.name} weight update`, index, pieces.length),
    origin: node.origin,
    macs: convolutionMacs(geometry) * (piece.count / geometry.outputs),
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
    kernel: weightContraction(schedule, problem.use),
    storage: [context.storageOf(input), context.storageOf(gradient), ...problem.storage],
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
    },
    workgroups: {
      x: { ...fixed(quads), tile: rowsPerBlock(schedule) },
      z: blocks * node.attributes.groups,
    },
    label: problem.label,
    origin: node.origin,
    macs: convolutionMacs(geometry) * (piece.count / geometry.groupOutputs),
    ...(problem.batches && { batches: problem.batches }),
  });
}

// The direct form

function directConstants(
  { attributes, ...geometry }: ConvolutionGeometry,
  groups: number,
): Constants {
  const { kernel, stride, dilation, padding } = attributes;
  return {
    group_inputs: geometry.inputs / groups,
    group_outputs: geometry.outputs / groups,
    kernel_height: kernel[0],
    kernel_width: kernel[1],
    stride_height: stride[0],
    stride_width: stride[1],
    dilation_height: dilation[0],
    dilation_width: dilation[1],
    padding_top: padding.top,
    padding_left: padding.left,
    input_height: geometry.inputSize[0],
    input_width: geometry.inputSize[1],
    input_channels: geometry.inputs,
    output_height: geometry.outputSize[0],
    output_width: geometry.outputSize[1],
    output_channels: geometry.outputs,
  };
}

function lowerDirectConvolution(
  context: LoweringContext,
  node: Node<"convolution">,
  geometry: ConvolutionGeometry,
  finish: LoweredEpilogue,
): void {
  emitDirect(context, node, geometry, finish, "forward");
}

function lowerDirectInputGradient(
  context: LoweringContext,
  node: Node<"convolutionInputGradient">,
  geometry: ConvolutionGeometry,
  finish: LoweredEpilogue,
): void {
  emitDirect(context, node, geometry, finish, "input gradient");
}

function emitDirect(
  context: LoweringContext,
  node: Node<"convolution"> | Node<"convolutionInputGradient">,
  geometry: ConvolutionGeometry,
  finish: LoweredEpilogue,
  direction: "forward" | "input gradient",
): void {
  const [from, weights] = node.inputs as [Value, Value];
  const result = node.outputs[0]!;
  const layout = context.layout(result);
  const make = direction === "forward" ? directConvolution : directInputGradient;
  context.emit({
    kernel: make(finish.epilogue),
    storage: [
      context.storageOf(from),
      context.storageOf(weights),
      context.storageOf(result),
      ...finish.storage,
    ],
    constants: {
      pixels: layout.pixels,
      width: layout.width,
      quads: layout.quads,
      ...directConstants(geometry, node.attributes.groups),
      ...layout.place("y"),
      ...context.layout(from).place("a"),
      ...finish.constants,
    },
    workgroups: {
      x: { ...perImage(layout.pixels * layout.quads), tile: POINTWISE_WORKGROUP },
      z: 1,
    },
    label: `${node.origin.name} ${direction}`,
    origin: node.origin,
    macs: convolutionMacs(geometry),
  });
}

function lowerDirectWeightGradient(
  context: LoweringContext,
  node: Node<"convolutionWeightGradient">,
  geometry: ConvolutionGeometry,
): void {
  const [input, gradient] = node.inputs as [Value, Value];
  const result = context.storageOf(node.outputs[0]!);
  const weights = elementCount(node.attributes.weightShape);
  context.emit({
    kernel: directWeightGradient(),
    storage: [context.storageOf(input), context.storageOf(gradient), result],
    constants: {
      weights,
      ...directConstants(geometry, node.attributes.groups),
      ...context.layout(input).place("a"),
      ...context.layout(gradient).place("b"),
    },
    workgroups: { x: { ...fixed(weights), tile: DIRECT_WEIGHTS_WORKGROUP }, z: 1 },
    label: `${node.origin.name} weight gradient`,
    origin: node.origin,
    macs: convolutionMacs(geometry),
  });
}

/** vec4 of one group's weights. */
function groupQuads(context: LoweringContext, weights: Value): number {
  const { layout } = context.parameter(weights);
  if (layout.kind !== "contraction" || layout.groups === 1) return 0;
  return (contractionRows(layout) * roundUpTo4(layout.outputs)) / 4;
}
