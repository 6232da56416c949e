/**
 * A convolution of 3x3 windows by Winograd's way: three transforms around sixteen matrix products.
 */
import { IDENTITY } from "../kernels/epilogue.js";
import { winogradInput, winogradOutput, winogradWeights } from "../kernels/winograd.js";
import type { Place } from "../ir/place.js";
import { oneRun } from "../layout/window.js";
import { fixed, perImage } from "../plan/storage.js";
import type { WinogradPlan } from "../plan/winograd.js";
import { POSITIONS } from "../schedules/winograd.js";
import { dispatch } from "./dispatch.js";
import {
  partStep,
  type PixelCommon,
  type PixelPart,
  type PixelProblem,
  type PixelWindow,
} from "./pixel-part.js";
import type { StepDraft } from "./step-draft.js";

export function winogradSteps(
  common: PixelCommon,
  problem: PixelProblem,
  plan: WinogradPlan,
): readonly StepDraft[] {
  const [part] = problem.parts as [PixelPart];
  return [
    weightsTransform(common, part, plan),
    tilesTransform(common, part, plan),
    products(common, part, plan),
    outputsTransform(common, problem, plan),
  ];
}

function weightsTransform(
  { label, origin, batches }: PixelCommon,
  { weights: untransformed }: PixelPart,
  { quads, columns, weights }: WinogradPlan,
): StepDraft {
  const threads = 4 * quads * columns;
  return dispatch(winogradWeights(), {
    buffers: { weights: untransformed, result: weights },
    constants: { threads },
    threads: fixed(threads),
    label: `${label} (weights)`,
    origin,
    batches,
  });
}

function tilesTransform(
  { label, origin, batches }: PixelCommon,
  { input, window }: PixelPart,
  { tiles, across, quads, inputs }: WinogradPlan,
): StepDraft {
  return dispatch(winogradInput(), {
    buffers: { input, result: inputs },
    constants: { tiles, tiles_across: across, quads, input: window.input },
    threads: perImage(tiles * quads),
    label: `${label} (tiles)`,
    origin,
    batches,
  });
}

function products(common: PixelCommon, part: PixelPart, plan: WinogradPlan): StepDraft {
  const own = {
    input: plan.inputs,
    weights: plan.weights,
    groups: POSITIONS,
    window: productsWindow(plan),
  };
  return partStep(
    common,
    { ...part, ...own },
    {
      result: { pixels: plan.tiles, width: plan.across },
      label: common.label,
      variant: { epilogue: IDENTITY },
      to: plan.products,
      constants: { result: productsPlace(plan) },
    },
  );
}

function outputsTransform(
  { label, origin, batches }: PixelCommon,
  { result, finish }: PixelProblem,
  { tiles, across, columns, products: made }: WinogradPlan,
): StepDraft {
  const { pixels, width, place } = result;
  return dispatch(winogradOutput({ epilogue: finish.epilogue }), {
    buffers: { products: made, result: result.storage },
    constants: { tiles, tiles_across: across, quads: columns, pixels, width, result: place },
    fragments: [finish.bound],
    threads: perImage(tiles * columns),
    label: `${label} (outputs)`,
    origin,
    batches,
  });
}

/** Transformed tiles as [image][position][tile][quad], positions being groups. */
const productsWindow = ({ tiles, across, quads, columns }: WinogradPlan): PixelWindow => ({
  ...oneRun(quads),
  input_group: tiles * quads,
  weights_group: 4 * quads * columns,
  input: { image: POSITIONS * tiles * quads, row: across * quads, column: quads, base: 0 },
});

/** Products as [image][tile][position][quad]. */
const productsPlace = ({ tiles, across, columns }: WinogradPlan): Place => ({
  image: tiles * POSITIONS * columns,
  row: across * POSITIONS * columns,
  column: POSITIONS * columns,
  base: 0,
});
