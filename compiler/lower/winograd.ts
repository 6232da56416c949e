/**
 * A convolution of 3x3 windows by Winograd's way: three transforms around sixteen matrix products.
 */
import type { Affine } from "../../program/program.js";
import { IDENTITY } from "../kernels/epilogue.js";
import type { ContractionSchedule } from "../schedules/schedule.js";
import { winogradInput, winogradOutput, winogradWeights } from "../kernels/winograd.js";
import { POSITIONS, tilesOf } from "../schedules/winograd.js";
import type { PixelPlace } from "../layout/activation-layout.js";
import { oneRun } from "../layout/window.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import {
  emitPart,
  type PixelNode,
  type PixelPart,
  type PixelProblem,
  type PixelWindow,
} from "./pixels.js";
import { fixed, perImage, type StepDraft, type Storage } from "./storage.js";

/**
 * What Winograd's way needs to know of a convolution: tiles of an image and across it, vec4 of
 * input and output channels.
 */
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
  const { origin } = node;
  const [part] = problem.parts as [PixelPart];
  const { across, count: tiles } = tilesOf(result.pixels, result.width);
  // A kernel row is one run of three pixels.
  const sizes: Sizes = { tiles, across, quads: part.window.run / 3, columns: part.columns };
  const [weights, inputs, products] = scratchOf(label, sizes);
  context.emit(weightsTransform(problem, sizes, { weights, origin }));
  context.emit(tilesTransform(problem, sizes, { inputs, origin }));
  emitPart(
    context,
    node,
    { result: { ...result, pixels: tiles, width: across } },
    {
      ...{ schedule, label },
      variant: { epilogue: IDENTITY },
      part: {
        ...part,
        ...{ a: inputs, b: weights, groups: POSITIONS, window: productsWindow(sizes) },
      },
      result: products,
      constants: { y: productsPlace(sizes) },
    },
  );
  context.emit(outputsTransform(problem, sizes, { products, origin }));
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

function weightsTransform(
  { label, parts }: PixelProblem,
  { quads, columns }: Sizes,
  { weights, origin }: PixelNode & { readonly weights: Storage },
): StepDraft {
  const threads = 4 * quads * columns;
  return dispatch(winogradWeights(), {
    buffers: { a: parts[0]!.b, result: weights },
    constants: { threads },
    threads: fixed(threads),
    label: `${label} (weights)`,
    origin,
  });
}

function tilesTransform(
  { label, parts }: PixelProblem,
  { tiles, across, quads }: Sizes,
  { inputs, origin }: PixelNode & { readonly inputs: Storage },
): StepDraft {
  const { a, window } = parts[0]!;
  return dispatch(winogradInput(), {
    buffers: { a, result: inputs },
    constants: { tiles, tiles_across: across, quads, a: window.a },
    threads: perImage(tiles * quads),
    label: `${label} (tiles)`,
    origin,
  });
}

function outputsTransform(
  { label, result, finish }: PixelProblem,
  { tiles, across, columns }: Sizes,
  { products, origin }: PixelNode & { readonly products: Storage },
): StepDraft {
  const { pixels, width, place } = result;
  return dispatch(winogradOutput({ epilogue: finish.epilogue }), {
    buffers: { products, result: result.storage },
    constants: { tiles, tiles_across: across, quads: columns, pixels, width, y: place },
    fragments: [finish.bound],
    threads: perImage(tiles * columns),
    label: `${label} (outputs)`,
    origin,
  });
}

/** Transformed tiles as [image][position][tile][quad], positions being groups. */
const productsWindow = ({ tiles, across, quads, columns }: Sizes): PixelWindow => ({
  ...{ ...oneRun(quads), a_group: tiles * quads, b_group: 4 * quads * columns },
  a: { image: POSITIONS * tiles * quads, row: across * quads, column: quads, base: 0 },
});

/** Products as [image][tile][position][quad]. */
const productsPlace = ({ tiles, across, columns }: Sizes): PixelPlace => ({
  image: tiles * POSITIONS * columns,
  row: across * POSITIONS * columns,
  column: POSITIONS * columns,
  base: 0,
});
