/** Contractions whose rows are pixels: convolutions, and input gradients of those with windows. */
import { bindableBytes } from "../../program/limits.js";
import { columnPitch, groupsOf, type PieceGroups } from "../../program/pieces.js";
import type { BatchRange } from "../../program/program.js";
import type { Node, Value } from "../ir/graph.js";
import { roundUpTo4, type ActivationLayout, type Steps } from "../layout/activation-layout.js";
import type { ConvolutionGeometry } from "../layout/geometry.js";
import { evenShare, shares } from "../layout/shares.js";
import { productWindow, window, windowSteps, type Window } from "../layout/window.js";
import type { ContractionProblem } from "../schedules/index.js";
import { isSplit, type ContractionSchedule } from "../schedules/schedule.js";
import { labelOf } from "./labels.js";
import { geometryOf } from "../layout/geometry.js";
import type { ContractionChoice } from "./problem.js";
import { layoutOf, parameterOf, sumsOf, type PlanSettings } from "./settings.js";
import { fixed, perImage, scratch, type Storage } from "./storage.js";
import { planWinograd, winogradTiles, type WinogradPlan } from "./winograd.js";

export type PixelNode = Node<"convolution"> | Node<"convolutionInputGradient">;

export interface PixelPlan extends ContractionChoice {
  readonly form: "pixels";
  /** How the windows of the first group move over what is read. */
  readonly windows: Window;
  readonly shares: readonly PixelShare[];
  /** Of all shares: the schedules of the first, which is the largest. */
  readonly ranges: readonly PixelRange[];
}

/** Some columns of the result: those of some groups, or some of one group. */
export interface PixelShare {
  readonly groups: PieceGroups;
  /** vec4 columns of each group, and the first of them in a group. */
  readonly columns: number;
  readonly firstQuad: number;
  /** Of an input gradient: memory for the weights of the share, flipped and transposed. */
  readonly flipped?: Storage;
}

/** How the results of some batches are computed. */
export interface PixelRange {
  /** All batches if absent. */
  readonly batches?: BatchRange;
  readonly schedule: ContractionSchedule;
  readonly way: PixelWay;
}

/** At once; by parts of K, with memory for the sums of all parts; or by Winograd's transforms. */
export type PixelWay =
  | { readonly kind: "whole" }
  | { readonly kind: "split"; readonly splits: number; readonly partials: Storage }
  | WinogradPlan;

export function planPixels(settings: PlanSettings, node: PixelNode): PixelPlan {
  const geometry = geometryOf(node);
  const read = layoutOf(settings, node.inputs[0]!);
  const { pixels, width, quads } = layoutOf(settings, node.outputs[0]!);
  const isProduct = node.kind === "convolution" && geometry.coversInput && read.isContiguous;
  const windows = isProduct ? productWindow(read) : windowsOf(node, geometry, read);
  const shared =
    node.kind === "convolution"
      ? weightShares(settings, node)
      : flippedShares(settings, node, geometry);
  const [{ columns, groups }] = shared as [PixelShare, ...PixelShare[]];
  const tiles =
    isProduct || shared.length > 1 ? undefined : winogradTiles(settings, node, geometry);
  const problem: ContractionProblem = {
    form: "pixels",
    rows: perImage(pixels),
    columns: fixed(columns),
    depth: fixed(windows.segments * windows.run),
    groups: groups.count,
    tiles: tiles !== undefined ? perImage(tiles) : undefined,
  };
  const sums = sumsOf(settings, 16 * pixels * quads);
  const label = labelOf(node);
  const wayOf = (schedule: ContractionSchedule): PixelWay =>
    schedule.algorithm === "winograd"
      ? planWinograd(label, { pixels, width, quads: windows.run / 3, columns })
      : splitWay(schedule, { label, bytes: sums.partialBytes });
  const ranges = settings.schedules.ranges(problem, sums).map((range) => {
    return { ...range, way: wayOf(range.schedule) };
  });
  return { form: "pixels", windows, shares: shared, problem, sums, ranges };
}

/**
 * At once, or in the parts of K that a schedule asks for; `pieces` of K are summed in any case.
 * `bytes`: what each part leaves, an image.
 */
export function splitWay(
  schedule: ContractionSchedule,
  { label, bytes, pieces = 1 }: { label: string; bytes: number; pieces?: number },
): PixelWay {
  if (!isSplit(schedule)) return { kind: "whole" };
  const splits = schedule.splits! * pieces;
  const partials = scratch(`${label} partials`, perImage(splits * bytes));
  return { kind: "split", splits, partials };
}

function windowsOf(
  { kind, attributes }: PixelNode,
  geometry: ConvolutionGeometry,
  read: ActivationLayout,
): Window {
  const steps: Steps =
    kind === "convolution"
      ? windowSteps(geometry)
      : { offset: [-geometry.gradientStart(0), -geometry.gradientStart(1)], stride: [1, 1] };
  return window(read, attributes.dilation, geometry, steps);
}

/** A share for each piece of the weights. */
function weightShares(
  settings: PlanSettings,
  { inputs: [, weights] }: Node<"convolution">,
): readonly PixelShare[] {
  const { pieces, layout } = parameterOf(settings, weights as Value);
  if (layout.kind !== "contraction") throw new Error(`${weights!.name} are not of a contraction`);
  return pieces.map((piece) => {
    const groups = groupsOf(piece, layout);
    return { groups, columns: columnPitch(groups) / 4, firstQuad: piece.start / 4 };
  });
}

/**
 * A share for each part of the flipped weights that fits a buffer: some groups, or inputs of one.
 */
function flippedShares(
  { limits }: PlanSettings,
  { inputs: [, weights] }: Node<"convolutionInputGradient">,
  geometry: ConvolutionGeometry,
): readonly PixelShare[] {
  const { groups, kernel } = geometry.attributes;
  const outputs = roundUpTo4(geometry.groupOutputs);
  const quads = roundUpTo4(geometry.groupInputs) / 4;
  const columnBytes = 16 * kernel[0] * kernel[1] * outputs;
  const fitting = Math.floor(bindableBytes(limits) / columnBytes);
  const wholeGroups = Math.max(1, Math.floor(fitting / quads));
  const ofGroup = shares(quads, evenShare(quads, Math.max(1, fitting)));
  return shares(groups, evenShare(groups, wholeGroups)).flatMap((count, index, counts) =>
    ofGroup.map((columns, part) => ({
      groups: { first: index * counts[0]!, count, outputs },
      columns,
      firstQuad: part * ofGroup[0]!,
      flipped: scratch(`${weights!.name} flipped`, fixed(columnBytes * count * columns)),
    })),
  );
}
