/** A convolution of 3x3 windows by Winograd's way: three transforms around sixteen matrix products. */
import type { Affine } from "../../program/program.js";
import { pixelContraction } from "../kernels/contraction-pixels.js";
import { IDENTITY } from "../kernels/epilogue.js";
import type { Kernel } from "../kernels/kernel.js";
import type { ContractionSchedule } from "../schedules/schedule.js";
import {
  WINOGRAD_WORKGROUP,
  winogradInput,
  winogradOutput,
  winogradWeights,
} from "../kernels/winograd.js";
import { POSITIONS, tilesOf } from "../schedules/winograd.js";
import type { LoweringContext } from "./context.js";
import { emitPart, type PixelNode, type PixelPart, type PixelProblem } from "./pixels.js";
import { fixed, perImage, type Storage } from "./storage.js";
import type { Constants } from "../layout/window.js";

/** What Winograd's way needs to know of a convolution: tiles of an image and across it, vec4 of input and output channels. */
interface Sizes {
  readonly tiles: number;
  readonly across: number;
  readonly quads: number;
  readonly columns: number;
}

export function emitWinograd(
  context: LoweringContext,
  node: PixelNode,
  problem: PixelProblem,
  schedule: ContractionSchedule,
): void {
  const { result, label } = problem;
  const [part] = problem.parts as [PixelPart];
  const { across, count: tiles } = tilesOf(result.pixels, result.width);
  // A kernel row is one run of three pixels.
  const sizes: Sizes = { tiles, across, quads: part.window.run! / 3, columns: part.columns };
  const [weights, inputs, products] = scratchOf(label, sizes);
  emitTransform(context, node, weightsTransform(problem, sizes, weights));
  emitTransform(context, node, tilesTransform(problem, sizes, inputs));
  emitPart(
    context,
    node,
    { result: { ...result, pixels: tiles, width: across } },
    {
      ...{ schedule, label },
      kernel: pixelContraction(schedule, IDENTITY),
      part: { ...part, groups: POSITIONS, window: productsWindow(sizes) },
      storage: [inputs, weights, products],
      constants: productsPlace(sizes),
    },
  );
  emitTransform(context, node, outputsTransform(problem, sizes, products));
}

function scratchOf(
  label: string,
  { tiles, quads, columns }: Sizes,
): readonly [weights: Storage, inputs: Storage, products: Storage] {
  const scratch = (name: string, bytes: Affine): Storage => ({
    ...{ name: `${label} ${name}`, purpose: "scratch", bytes },
  });
  const bytes = 16 * POSITIONS;
  return [
    scratch("transformed weights", fixed(bytes * 4 * quads * columns)),
    scratch("transformed tiles", perImage(bytes * tiles * quads)),
    scratch("products", perImage(bytes * tiles * columns)),
  ];
}

interface Transform {
  readonly kernel: Kernel;
  readonly label: string;
  readonly storage: readonly Storage[];
  readonly constants: Constants;
  readonly threads: Affine;
}

function emitTransform(
  context: LoweringContext,
  { origin }: PixelNode,
  transform: Transform,
): void {
  const { threads, ...step } = transform;
  context.emit({
    ...step,
    workgroups: { x: { ...threads, tile: WINOGRAD_WORKGROUP }, z: 1 },
    ...{ origin, macs: 0 },
  });
}

function weightsTransform(
  { label, parts }: PixelProblem,
  { quads, columns }: Sizes,
  weights: Storage,
): Transform {
  const threads = 4 * quads * columns;
  return {
    kernel: winogradWeights(),
    label: `${label} (weights)`,
    storage: [parts[0]!.b, weights],
    constants: { threads },
    threads: fixed(threads),
  };
}

function tilesTransform(
  { label, parts }: PixelProblem,
  { tiles, across, quads }: Sizes,
  inputs: Storage,
): Transform {
  const { a, window } = parts[0]!;
  return {
    kernel: winogradInput(),
    label: `${label} (tiles)`,
    storage: [a, inputs],
    constants: { ...window, tiles, tiles_across: across, quads },
    threads: perImage(tiles * quads),
  };
}

function outputsTransform(
  { label, result, finish }: PixelProblem,
  { tiles, across, columns }: Sizes,
  products: Storage,
): Transform {
  const { pixels, width, place } = result;
  return {
    kernel: winogradOutput(finish.epilogue),
    label: `${label} (outputs)`,
    storage: [products, result.storage, ...finish.storage],
    constants: {
      ...{ tiles, tiles_across: across, quads: columns, pixels, width },
      ...{ ...place, ...finish.constants },
    },
    threads: perImage(tiles * columns),
  };
}

/** Transformed tiles as [image][position][tile][quad], positions being groups. */
const productsWindow = ({ tiles, across, quads, columns }: Sizes): Constants => ({
  ...{ segments: 1, segments_per_row: 1, segment_row: 0, segment_column: 0, run: quads },
  ...{ a_group: tiles * quads, b_group: 4 * quads * columns },
  ...{ a_image: POSITIONS * tiles * quads, a_row: across * quads, a_column: quads, a_base: 0 },
});

/** Products as [image][tile][position][quad]. */
const productsPlace = ({ tiles, across, columns }: Sizes): Constants => ({
  y_image: tiles * POSITIONS * columns,
  y_row: across * POSITIONS * columns,
  y_column: POSITIONS * columns,
  y_base: 0,
});
