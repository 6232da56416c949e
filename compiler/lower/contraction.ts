import { contractionRows, groupsOf, type PieceGroups } from "../../program/pieces.js";
import type { AnyNode, Node, Value } from "../ir/graph.js";
import { featureContraction } from "../kernels/contraction-features.js";
import { flipWeights } from "../kernels/copy.js";
import { rowsPerBlock } from "../schedules/schedule.js";
import {
  prefersTransposed,
  type ContractionProblem,
  type RangedSchedule,
} from "../schedules/index.js";
import type { PixelNode, PixelShare } from "../plan/pixels.js";
import { labelOf } from "./labels.js";
import { roundUpTo4 } from "../layout/activation-layout.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import { lowerDirect } from "./direct.js";
import { gatherFor, leftBy } from "./gather.js";
import { lowerEpilogue, UNFUSED, withChannels, type LoweredEpilogue } from "./fused.js";
import { ConvolutionGeometry } from "../layout/geometry.js";
import { pieceLabel } from "../layout/parameters.js";
import {
  emitPixels,
  resultOf,
  type PixelPart,
  type PixelProblem,
  type PixelResult,
} from "./pixels.js";
import { fixed, perImage, type Storage } from "./storage.js";
import { emitWinograd } from "./winograd.js";
import { ofGroups, oneRun } from "../layout/window.js";

/**
 * Forward: rows are output pixels; a layer whose window covers the input is a matrix product over
 * its features.
 */
export function lowerConvolution(context: LoweringContext, node: Node<"convolution">): void {
  const [input, weights] = node.inputs as [Value, Value];
  const output = node.outputs[0]!;
  const geometry = new ConvolutionGeometry(node.attributes, input.shape, output.shape);
  if (geometry.isDirect) return lowerDirect(context, node, geometry, "forward");
  const finish = lowerEpilogue(context, node.fusion?.epilogue, output);
  const { pieces, layout: lies } = context.parameter(weights);
  if (lies.kind !== "contraction") throw new Error(`${weights.name} are not of a contraction`);
  const { windows, shares } = context.plan.pixels(node);
  emitPlanned(context, node, {
    label: labelOf(node),
    ...{ result: resultOf(context, output), finish, gather: gatherFor(context, node) },
    parts: shares.map(({ groups: held, columns, firstQuad }, index) => {
      const piece = pieces[index]!;
      return {
        a: context.storageOf(input),
        b: context.piecesOf(weights)[index]!,
        window: {
          ...ofGroups(windows, held.first),
          b_group: held.count > 1 ? contractionRows(lies) * columns : 0,
        },
        groups: held.count,
        columns,
        firstQuad,
        macs: geometry.macs * (piece.count / geometry.outputs),
      };
    }),
  });
}

/** A contraction by the schedules of its plan. */
function emitPlanned(
  context: LoweringContext,
  node: AnyNode & PixelNode,
  problem: PixelProblem,
): void {
  const { schedules, sums, problem: planned } = context.plan.pixels(node);
  context.note({ problem: planned, schedule: schedules[0]!.schedule, sums });
  const left = leftBy(context, node);
  schedules.forEach(({ schedule, batches }, range) => {
    context.forBatches(batches, () => {
      if (schedule.algorithm === "winograd") emitWinograd(context, node, problem, schedule);
      else emitPixels(context, node, problem, { schedule, left: left[range]?.parts });
    });
  });
}

/**
 * Input gradient: the output gradient, spread by the stride in its halo, convolved with flipped and
 * transposed weights.
 */
export function lowerInputGradient(
  context: LoweringContext,
  node: Node<"convolutionInputGradient">,
): void {
  const gradient = node.inputs[0]!;
  const result = node.outputs[0]!;
  const geometry = new ConvolutionGeometry(node.attributes, result.shape, gradient.shape);
  if (geometry.isDirect) return lowerDirect(context, node, geometry, "input gradient");
  const finish = lowerEpilogue(context, node.fusion?.epilogue, result);
  if (geometry.coversInput) {
    return lowerProductInputGradient(context, node, geometry, finish);
  }
  const { windows } = context.plan.pixels(node);
  const groupQuads = roundUpTo4(geometry.groupInputs) / 4;
  const share = (part: FlippedPart) =>
    (part.groups.count / node.attributes.groups) * (part.columns / groupQuads);
  const parts = emitFlippedWeights(context, node, geometry).map((part) => ({
    a: context.storageOf(gradient),
    b: part.storage,
    window: {
      ...ofGroups(windows, part.groups.first),
      b_group: part.groups.count > 1 ? taps(geometry) * part.groups.outputs * part.columns : 0,
    },
    groups: part.groups.count,
    columns: part.columns,
    firstQuad: part.groups.first * groupQuads + part.firstQuad,
    macs: geometry.macs * share(part),
  }));
  emitPlanned(context, node, {
    label: labelOf(node),
    ...{ result: resultOf(context, result), finish, parts, gather: gatherFor(context, node) },
  });
}

const taps = ({ attributes }: ConvolutionGeometry) => attributes.kernel[0] * attributes.kernel[1];

/** Flipped weights that fit a buffer, of a share of the result. */
interface FlippedPart extends PixelShare {
  readonly storage: Storage;
}

function flippedParts(
  { plan }: LoweringContext,
  node: AnyNode & Node<"convolutionInputGradient">,
  geometry: ConvolutionGeometry,
): readonly FlippedPart[] {
  const name = `${node.inputs[1]!.name} flipped`;
  return plan.pixels(node).shares.map((share) => {
    const { groups, columns } = share;
    const bytes = fixed(16 * groups.count * taps(geometry) * groups.outputs * columns);
    return { ...share, storage: { name, purpose: "scratch", bytes } };
  });
}

/** Flips every piece of the weights into every part that has groups in common with it. */
function emitFlippedWeights(
  context: LoweringContext,
  node: AnyNode & Node<"convolutionInputGradient">,
  geometry: ConvolutionGeometry,
): readonly FlippedPart[] {
  const weights = node.inputs[1]!;
  const { origin } = node;
  const parts = flippedParts(context, node, geometry);
  const { pieces, layout } = context.parameter(weights);
  if (layout.kind !== "contraction") throw new Error(`${weights.name} are not of a contraction`);
  const held = pieces.map((piece) => groupsOf(piece, layout));
  const pairs = parts.flatMap((part) => held.map((own, piece) => ({ part, own, piece })));
  const meeting = pairs.filter(({ part, own }) => commonGroups(part.groups, own).count > 0);
  for (const [index, { part, own, piece }] of meeting.entries()) {
    const firstOutput = pieces[piece]!.start - own.first * layout.outputs;
    const constants = flipConstants(geometry, part, { ...own, firstOutput });
    context.emit(
      dispatch(flipWeights(), {
        buffers: { a: context.piecesOf(weights)[piece]!, y: part.storage },
        constants,
        threads: fixed(constants.threads),
        label: pieceLabel(`${origin.name} weights flipped`, index, meeting.length),
        origin,
      }),
    );
  }
  return parts;
}

function commonGroups(a: PieceGroups, b: PieceGroups): Pick<PieceGroups, "first" | "count"> {
  const first = Math.max(a.first, b.first);
  return { first, count: Math.min(a.first + a.count, b.first + b.count) - first };
}

/** Where the groups and outputs that a piece holds lie in it, and where they go. */
function flipConstants(
  geometry: ConvolutionGeometry,
  part: FlippedPart,
  own: PieceGroups & { readonly firstOutput: number },
) {
  const { first, count } = commonGroups(part.groups, own);
  const rowQuads = roundUpTo4(geometry.groupInputs) / 4;
  const outputs = roundUpTo4(own.outputs);
  const toGroup = (first - part.groups.first) * taps(geometry) * part.groups.outputs;
  return {
    input_quads: part.columns,
    row_quads: rowQuads,
    outputs,
    all_outputs: part.groups.outputs,
    taps: taps(geometry),
    threads: count * taps(geometry) * outputs * part.columns,
    a_base: ((first - own.first) * taps(geometry) * rowQuads + part.firstQuad) * 4 * outputs,
    y_base: (toGroup + own.firstOutput) * part.columns,
  };
}

/** Input gradient of a matrix product. */
function lowerProductInputGradient(
  context: LoweringContext,
  node: Node<"convolutionInputGradient">,
  geometry: ConvolutionGeometry,
  finish: LoweredEpilogue,
): void {
  const long = prefersTransposed(context.target) && longPixel(context, node, finish);
  if (long) return lowerTransposed(context, node, geometry, long);
  lowerFeatures(context, node, geometry, finish);
}

/** The result as one pixel with all features, if its memory and its epilogue's let it be. */
function longPixel(
  context: LoweringContext,
  node: Node<"convolutionInputGradient">,
  finish: LoweredEpilogue,
): { readonly result: PixelResult; readonly finish: LoweredEpilogue } | undefined {
  const [output] = node.outputs as [Value];
  const layout = context.layout(output);
  const result = resultOf(context, output);
  if (layout.pixels === 1 && layout.isContiguous) return { result, finish };
  const layouts = [output, ...(node.fusion?.epilogue?.operands ?? [])].map(
    (value) => value.shape.length > 1 && context.layout(value),
  );
  if (!layouts.every((each) => each && each.isContiguous && each.channels % 4 === 0))
    return undefined;
  const quads = layout.pixels * layout.quads;
  return {
    result: { ...result, pixels: 1, width: 1, quads },
    finish: withChannels(finish, 4 * quads),
  };
}

/** As a contraction whose rows are images: every piece of the weights is a part of K. */
function lowerTransposed(
  context: LoweringContext,
  node: Node<"convolutionInputGradient">,
  geometry: ConvolutionGeometry,
  { result, finish }: { readonly result: PixelResult; readonly finish: LoweredEpilogue },
): void {
  const [gradient, weights] = node.inputs as [Value, Value];
  const from = context.layout(gradient).inQuads();
  const { pieces } = context.parameter(weights);
  const problem: PixelProblem = {
    label: `${node.origin.name} input gradient`,
    ...{ result, finish, order: "columns first" },
    parts: pieces.map((piece, index) => {
      const run = roundUpTo4(piece.count) / 4;
      return {
        a: context.storageOf(gradient),
        b: context.piecesOf(weights)[index]!,
        window: {
          ...{ ...oneRun(run), a_group: 0, b_group: 0, b_column: run },
          a: { ...from, base: from.base + piece.start / 4 },
        },
        ...{ groups: 1, columns: result.quads, firstQuad: 0 },
        macs: geometry.macs * (piece.count / geometry.outputs),
      };
    }),
  };
  for (const { schedule, batches } of chooseTransposed(context, problem)) {
    context.forBatches(batches, () => emitPixels(context, node, problem, { schedule }));
  }
}

/** All parts take the schedules of the first, which is the largest. Their sums are always added. */
function chooseTransposed(
  context: LoweringContext,
  { result, parts }: PixelProblem,
): readonly RangedSchedule[] {
  const [{ window, columns, groups }] = parts as [PixelPart, ...PixelPart[]];
  const problem: ContractionProblem = {
    form: "transposed",
    rows: perImage(result.pixels),
    columns: fixed(columns),
    depth: fixed(window.segments * window.run),
    groups,
  };
  const chosen = context.schedules(problem, 16 * result.pixels * result.quads);
  if (parts.length === 1) return chosen;
  return chosen.map(({ schedule, batches }) => ({
    schedule: { ...schedule, splits: Math.max(2, schedule.splits ?? 1) },
    ...(batches && { batches }),
  }));
}

/**
 * With lanes for images: every piece of the weights adds its output channels' share; the last one
 * finishes.
 */
function lowerFeatures(
  context: LoweringContext,
  node: Node<"convolutionInputGradient">,
  geometry: ConvolutionGeometry,
  finish: LoweredEpilogue,
): void {
  const [gradient, weights] = node.inputs as [Value, Value];
  const layout = context.layout(node.outputs[0]!);
  const features = layout.pixels * 4 * layout.quads;
  const pieces = context.parameter(weights).pieces;
  for (const [index, piece] of pieces.entries()) {
    const isLast = index === pieces.length - 1;
    const { epilogue, bound } = isLast ? finish : UNFUSED;
    const from = context.layout(gradient).inQuads();
    const run = roundUpTo4(piece.count) / 4;
    const problem: ContractionProblem = {
      form: "features",
      rows: fixed(features),
      columns: perImage(1),
      depth: fixed(run),
      groups: 1,
    };
    // This form never splits K.
    const schedule = context.schedule(problem, { partialBytes: Infinity });
    const start = index === 0 ? "zero" : "stored";
    context.emit(
      dispatch(featureContraction({ schedule, epilogue, start }), {
        buffers: {
          a: context.piecesOf(weights)[index]!,
          b: context.storageOf(gradient),
          result: context.storageOf(node.outputs[0]!),
        },
        constants: {
          features,
          quads: layout.quads,
          pixels: layout.pixels,
          width: layout.width,
          run,
          b_image: from.image,
          b_base: from.base + piece.start / 4,
          y: layout.inQuads(),
        },
        fragments: [bound],
        workgroups: {
          x: { ...perImage(1), tile: schedule.columns },
          z: Math.ceil(features / rowsPerBlock(schedule)),
        },
        label: pieceLabel(`${node.origin.name} input gradient`, index, pieces.length),
        origin: node.origin,
        macs: geometry.macs * (piece.count / geometry.outputs),
      }),
    );
  }
}
