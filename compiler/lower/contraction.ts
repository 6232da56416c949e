import type { Node, Value } from "../ir/graph.js";
import { featureContraction } from "../kernels/contraction-features.js";
import { pixelContraction, type ColumnOrder } from "../kernels/contraction-pixels.js";
import { COPY_WORKGROUP, flipWeights } from "../kernels/copy.js";
import { IDENTITY } from "../kernels/epilogue.js";
import { POINTWISE_WORKGROUP, sumPartials } from "../kernels/pointwise.js";
import type { Kernel } from "../kernels/kernel.js";
import { isSplit, rowsPerBlock, type ContractionSchedule } from "../kernels/schedule.js";
import { prefersTransposed } from "../schedules/index.js";
import { roundUpTo4, type Steps } from "./activation-layout.js";
import type { LoweringContext } from "./context.js";
import { lowerDirect } from "./direct.js";
import { lowerEpilogue, type LoweredEpilogue } from "./fused.js";
import { ConvolutionGeometry } from "./geometry.js";
import { contractionRows, pieceLabel } from "./parameters.js";
import { fixed, perImage, type Storage } from "./storage.js";
import { productWindow, window, windowSteps, type Constants } from "./window.js";

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
  emitPixels(context, node, {
    label: `${node.origin.name} forward`,
    result: resultOf(context, output),
    finish,
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

/** A dispatch's share of the result: some of its columns, or of its K. */
interface PixelPart {
  readonly a: Storage;
  readonly b: Storage;
  readonly window: Constants;
  /** vec4 columns of each group in `b`, and the first of them in the output. */
  readonly columns: number;
  readonly firstQuad: number;
  readonly macs: number;
}

interface PixelProblem {
  readonly label: string;
  readonly result: PixelResult;
  readonly finish: LoweredEpilogue;
  readonly parts: readonly PixelPart[];
  /** `columns first`: the weights of a linear layer, for its input gradient. Parts are then of K, and summed. */
  readonly order?: ColumnOrder;
}

/** Where results go: an activation, or an activation whose image is taken for one long pixel. */
interface PixelResult {
  readonly storage: Storage;
  readonly pixels: number;
  readonly width: number;
  readonly quads: number;
  readonly place: Constants;
}

function resultOf(context: LoweringContext, output: Value): PixelResult {
  const layout = context.layout(output);
  const { pixels, width, quads } = layout;
  return { storage: context.storageOf(output), pixels, width, quads, place: layout.place("y") };
}

interface PixelNode {
  readonly origin: Node["origin"];
  readonly attributes: { readonly groups: number };
}

/** The parts of a contraction over pixels and, where K is split or its parts are in several buffers, the sum of what they make. */
function emitPixels(context: LoweringContext, node: PixelNode, problem: PixelProblem): void {
  const { result, finish, parts, order } = problem;
  const schedule = choosePixels(context, node, problem);
  if (!isSplit(schedule)) {
    for (const part of parts) {
      emitPart(context, node, problem, {
        ...{ schedule, part, label: partLabel(problem, part) },
        kernel: pixelContraction(schedule, finish.epilogue, order),
        storage: [part.a, part.b, result.storage, ...finish.storage],
        constants: { ...result.place, ...finish.constants },
      });
    }
    return;
  }
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
      kernel: pixelContraction(schedule, IDENTITY, order),
      storage: [part.a, part.b, partials],
      constants: {
        groups: node.attributes.groups,
        splits: schedule.splits!,
        first_split: isOfK ? index * schedule.splits! : 0,
        quads: result.quads,
      },
    });
  }
  emitSum(context, node, problem, { partials, splits });
}

const partLabel = ({ label, parts }: PixelProblem, part: PixelPart) =>
  pieceLabel(label, parts.indexOf(part), parts.length);

/** All parts take the schedule of the first, which is the largest. */
function choosePixels(
  context: LoweringContext,
  { attributes: { groups } }: PixelNode,
  { result, parts, order }: PixelProblem,
): ContractionSchedule {
  const [{ window, columns }] = parts as [PixelPart, ...PixelPart[]];
  const isOfK = order === "columns first";
  const schedule = context.schedule({
    form: isOfK ? "transposed" : "pixels",
    rows: perImage(result.pixels),
    columns: fixed(columns),
    depth: fixed(window.segments! * window.run!),
    groups,
  });
  const isInParts = isOfK && parts.length > 1;
  return isInParts ? { ...schedule, splits: Math.max(2, schedule.splits ?? 1) } : schedule;
}

interface PartDispatch {
  readonly schedule: ContractionSchedule;
  readonly part: PixelPart;
  readonly label: string;
  readonly kernel: Kernel;
  readonly storage: readonly Storage[];
  readonly constants: Constants;
}

function emitPart(
  context: LoweringContext,
  node: PixelNode,
  { result }: PixelProblem,
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
      z: blocks * node.attributes.groups * (schedule.splits ?? 1),
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
  emitPixels(context, node, {
    label: `${node.origin.name} input gradient`,
    result: resultOf(context, result),
    finish,
    parts: [part],
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
  emitPixels(context, node, {
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
