import type { Node, Value } from "../ir/graph.js";
import { featureContraction } from "../kernels/contraction-features.js";
import { COPY_WORKGROUP, flipWeights } from "../kernels/copy.js";
import { IDENTITY } from "../kernels/epilogue.js";
import { rowsPerBlock } from "../kernels/schedule.js";
import { prefersTransposed } from "../schedules/index.js";
import { roundUpTo4, type ActivationLayout, type Steps } from "./activation-layout.js";
import type { LoweringContext } from "./context.js";
import { lowerDirect } from "./direct.js";
import { gatherFor } from "./gather.js";
import { lowerEpilogue, type LoweredEpilogue } from "./fused.js";
import { ConvolutionGeometry } from "./geometry.js";
import { contractionRows, pieceLabel } from "./parameters.js";
import {
  choosePixels,
  emitPixels,
  resultOf,
  type PixelNode,
  type PixelProblem,
  type PixelResult,
} from "./pixels.js";
import { fixed, perImage, type Storage } from "./storage.js";
import { emitWinograd, tilesOf } from "./winograd.js";
import { productWindow, window, windowSteps } from "./window.js";

/** Buffers that a contraction binds apart from its epilogue's. */
const OPERANDS = 3;

/** Forward: rows are output pixels; a layer whose window covers the input is a matrix product over its features. */
export function lowerConvolution(context: LoweringContext, node: Node<"convolution">): void {
  const [input, weights] = node.inputs as [Value, Value];
  const output = node.outputs[0]!;
  const geometry = new ConvolutionGeometry(node.attributes, input.shape, output.shape);
  if (geometry.isDirect) return lowerDirect(context, node, geometry, "forward");
  const finish = lowerEpilogue(context, node.attributes.epilogue, node.inputs, output);
  const layout = context.layout(input);
  const isProduct = geometry.coversInput && layout.isContiguous;
  const pieces = context.parameter(weights).pieces;
  const result = resultOf(context, output);
  emitWindows(context, node, {
    label: `${node.origin.name} forward`,
    ...{ result, finish, gather: gatherFor(context, output, OPERANDS + finish.storage.length) },
    tiles: isProduct ? undefined : winogradTiles(geometry, layout, result),
    parts: pieces.map((piece, index) => ({
      a: context.storageOf(input),
      b: context.piecesOf(weights)[index]!,
      window: isProduct
        ? productWindow(layout)
        : {
            ...window(layout, geometry.attributes.dilation, geometry, windowSteps(geometry)),
            b_group: groupQuads(context, weights),
          },
      columns: roundUpTo4(piece.count) / 4,
      firstQuad: piece.start / 4,
      macs: geometry.macs * (piece.count / geometry.groupOutputs),
    })),
  });
}

/** By the schedule that suits it: as it stands, or by Winograd's way. */
function emitWindows(context: LoweringContext, node: PixelNode, problem: PixelProblem): void {
  for (const { schedule, batches } of choosePixels(context, node, problem)) {
    context.forBatches(batches, () => {
      if (schedule.algorithm !== "winograd") return emitPixels(context, node, problem, schedule);
      emitWinograd(context, node, problem, schedule);
      if (problem.gather) context.leaveParts(problem.gather.reduction, undefined);
    });
  }
}

/** 3x3 windows that move by one pixel over whole vec4 can go by tiles of 2x2 outputs: how many there are to an image. */
function winogradTiles(
  { attributes }: ConvolutionGeometry,
  layout: ActivationLayout,
  { pixels, width }: PixelResult,
): number | undefined {
  const { kernel, stride, dilation, groups } = attributes;
  const isEach = (pair: readonly number[], size: number) => pair.every((each) => each === size);
  const fits = isEach(kernel, 3) && isEach(stride, 1) && isEach(dilation, 1) && groups === 1;
  if (!fits || layout.pitch % 4 !== 0) return undefined;
  return tilesOf(pixels, width).count;
}

/** Input gradient: the output gradient, spread by the stride in its halo, convolved with flipped and transposed weights. */
export function lowerInputGradient(
  context: LoweringContext,
  node: Node<"convolutionInputGradient">,
): void {
  const [gradient, weights] = node.inputs as [Value, Value];
  const result = node.outputs[0]!;
  const geometry = new ConvolutionGeometry(node.attributes, result.shape, gradient.shape);
  if (geometry.isDirect) return lowerDirect(context, node, geometry, "input gradient");
  const finish = lowerEpilogue(context, node.attributes.epilogue, node.inputs, result);
  if (geometry.coversInput) {
    return lowerProductInputGradient(context, node, geometry, finish);
  }
  const { groups } = node.attributes;
  const layout = context.layout(gradient);
  const flipped = emitFlippedWeights(context, node, geometry, weights);
  const columns = roundUpTo4(geometry.groupInputs) / 4;
  const start = [geometry.gradientStart(0), geometry.gradientStart(1)] as const;
  const steps: Steps = { offset: [-start[0], -start[1]], stride: [1, 1] };
  const part = {
    a: context.storageOf(gradient),
    b: flipped,
    window: {
      ...window(layout, node.attributes.dilation, geometry, steps),
      b_group: (groups > 1 ? 1 : 0) * flippedQuads(geometry),
    },
    columns,
    firstQuad: 0,
    macs: geometry.macs,
  };
  const written = resultOf(context, result);
  emitWindows(context, node, {
    label: `${node.origin.name} input gradient`,
    ...{ result: written, finish, parts: [part] },
    gather: gatherFor(context, result, OPERANDS + finish.storage.length),
    tiles: winogradTiles(geometry, layout, written),
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
  const { first = node.inputs.length } = node.attributes.epilogue ?? {};
  const layouts = [output, ...node.inputs.slice(first)].map(
    (value) => value.shape.length > 1 && context.layout(value),
  );
  if (!layouts.every((each) => each && each.isContiguous && each.channels % 4 === 0))
    return undefined;
  const quads = layout.pixels * layout.quads;
  return {
    result: { ...result, pixels: 1, width: 1, quads },
    finish: { ...finish, constants: { ...finish.constants, channels: 4 * quads } },
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
  const from = context.layout(gradient).place("a");
  const { pieces } = context.parameter(weights);
  emitWindows(context, node, {
    label: `${node.origin.name} input gradient`,
    ...{ result, finish, order: "columns first" },
    parts: pieces.map((piece, index) => {
      const run = roundUpTo4(piece.count) / 4;
      return {
        a: context.storageOf(gradient),
        b: context.piecesOf(weights)[index]!,
        window: {
          ...{ segments: 1, segments_per_row: 1, segment_row: 0, segment_column: 0, run },
          ...{ a_group: 0, b_group: 0, b_column: run },
          ...from,
          a_base: from.a_base! + piece.start / 4,
        },
        columns: result.quads,
        firstQuad: 0,
        macs: geometry.macs * (piece.count / geometry.outputs),
      };
    }),
  });
}

/** With lanes for images: every piece of the weights adds its output channels' share; the last one finishes. */
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
    const epilogue = isLast ? finish : { epilogue: IDENTITY, storage: [], constants: {} };
    const from = context.layout(gradient).place("b");
    const run = roundUpTo4(piece.count) / 4;
    const schedule = context.schedule({
      form: "features",
      rows: fixed(features),
      columns: perImage(1),
      depth: fixed(run),
      groups: 1,
    });
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
        run,
        b_image: from.b_image!,
        b_base: from.b_base! + piece.start / 4,
        ...layout.place("y"),
        ...epilogue.constants,
      },
      workgroups: {
        x: { ...perImage(1), tile: schedule.columns },
        z: Math.ceil(features / rowsPerBlock(schedule)),
      },
      label: pieceLabel(`${node.origin.name} input gradient`, index, pieces.length),
      origin: node.origin,
      macs: geometry.macs * (piece.count / geometry.outputs),
    });
  }
}

/** vec4 of one group's weights. */
function groupQuads(context: LoweringContext, weights: Value): number {
  const { layout } = context.parameter(weights);
  if (layout.kind !== "contraction" || layout.groups === 1) return 0;
  return (contractionRows(layout) * roundUpTo4(layout.outputs)) / 4;
}
