/** Input gradients of matrix products, such as linear layers. */
import type { Node, Value } from "../ir/graph.js";
import { roundUpTo4 } from "../layout/activation-layout.js";
import type { Piece } from "../layout/parameters.js";
import { prefersTransposed, type ContractionProblem } from "../schedules/index.js";
import type { ContractionSchedule } from "../schedules/schedule.js";
import { labelOf } from "./labels.js";
import { splitWay, type PixelRange } from "./pixels.js";
import type { ContractionChoice } from "./problem.js";
import { layoutOf, parameterOf, sumsOf, type PlanSettings } from "./settings.js";
import { fixed, perImage } from "./storage.js";

/** Rows are images: every piece of the weights is a part of K. */
export interface TransposedPlan extends ContractionChoice {
  readonly form: "transposed";
  readonly result: ResultShape;
  readonly ranges: readonly PixelRange[];
}

/** An image of the result, which may be read as one pixel with all its features. */
export interface ResultShape {
  readonly pixels: number;
  readonly width: number;
  readonly quads: number;
  /** Channels of such a pixel; those of the result if absent. */
  readonly channels?: number;
}

/** Lanes are images: every piece of the weights adds its output channels' share. */
export interface FeaturePlan {
  readonly form: "features";
  /** Rows, and their sums for a piece of the weights each. */
  readonly features: number;
  readonly pieces: readonly FeaturePiece[];
}

export interface FeaturePiece extends ContractionChoice {
  /** vec4 of output channels. */
  readonly run: number;
  readonly schedule: ContractionSchedule;
}

export function planProduct(
  settings: PlanSettings,
  node: Node<"convolutionInputGradient">,
): TransposedPlan | FeaturePlan {
  const result = prefersTransposed(settings.target) && resultShape(settings, node);
  return result ? planTransposed(settings, node, result) : planFeatures(settings, node);
}

const runOf = ({ count }: Piece) => roundUpTo4(count) / 4;

/** The result as one pixel with all features, if its memory and its epilogue's let it be. */
function resultShape(
  settings: PlanSettings,
  { outputs, fusion }: Node<"convolutionInputGradient">,
): ResultShape | undefined {
  const [output] = outputs as [Value];
  const layout = layoutOf(settings, output);
  const { pixels, width, quads } = layout;
  if (pixels === 1 && layout.isContiguous) return { pixels, width, quads };
  const isDense = (value: Value) => {
    if (value.shape.length === 1) return false;
    const { isContiguous, channels } = layoutOf(settings, value);
    return isContiguous && channels % 4 === 0;
  };
  if (![output, ...(fusion?.epilogue?.operands ?? [])].every(isDense)) return undefined;
  return { pixels: 1, width: 1, quads: pixels * quads, channels: 4 * pixels * quads };
}

/** All pieces take the schedules of the first, which is the largest. Their sums are added. */
function planTransposed(
  settings: PlanSettings,
  node: Node<"convolutionInputGradient">,
  result: ResultShape,
): TransposedPlan {
  const { pieces } = parameterOf(settings, node.inputs[1]!);
  const problem: ContractionProblem = {
    form: "transposed",
    rows: perImage(result.pixels),
    columns: fixed(result.quads),
    depth: fixed(runOf(pieces[0]!)),
    groups: 1,
  };
  const sums = sumsOf(settings, 16 * result.pixels * result.quads);
  const parts = { label: labelOf(node), bytes: sums.partialBytes, pieces: pieces.length };
  const least = pieces.length === 1 ? 1 : 2;
  const ranges = settings.schedules.ranges(problem, sums).map((range) => {
    const { splits = 1 } = range.schedule;
    const schedule = splits < least ? { ...range.schedule, splits: least } : range.schedule;
    return { ...range, schedule, way: splitWay(schedule, parts) };
  });
  return { form: "transposed", result, problem, sums, ranges };
}

function planFeatures(
  settings: PlanSettings,
  { inputs: [, weights], outputs: [output] }: Node<"convolutionInputGradient">,
): FeaturePlan {
  const { pixels, quads } = layoutOf(settings, output!);
  const features = pixels * 4 * quads;
  // This form never splits K.
  const sums = sumsOf(settings, Infinity);
  const pieces = parameterOf(settings, weights!).pieces.map((piece) => {
    const run = runOf(piece);
    const problem: ContractionProblem = {
      form: "features",
      rows: fixed(features),
      columns: perImage(1),
      depth: fixed(run),
      groups: 1,
    };
    return { run, problem, sums, schedule: settings.schedules.one(problem, sums) };
  });
  return { form: "features", features, pieces };
}
