import type { Node, Value } from "../ir/graph.js";
import { featureContraction, pixelContraction, rowsPerBlock } from "../kernels/contraction.js";
import { COPY_WORKGROUP, flipWeights } from "../kernels/copy.js";
import { IDENTITY } from "../kernels/epilogue.js";
import type { ContractionSchedule } from "../kernels/schedule.js";
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
      macs: geometry.macs * (piece.count / geometry.groupOutputs),
    });
  }
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
    macs: geometry.macs,
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
    const from = context.layout(gradient).place("b");
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
