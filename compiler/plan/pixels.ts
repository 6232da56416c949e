/** Contractions whose rows are pixels: convolutions, and input gradients of those with windows. */
import { bindableBytes } from "../../program/limits.js";
import { groupsOf, type PieceGroups } from "../../program/pieces.js";
import type { AnyNode, Node, Value } from "../ir/graph.js";
import { roundUpTo4, type ActivationLayout, type Steps } from "../layout/activation-layout.js";
import { ConvolutionGeometry } from "../layout/geometry.js";
import { evenShare, shares } from "../layout/shares.js";
import { productWindow, window, windowSteps, type Window } from "../layout/window.js";
import {
  chooseSchedules,
  type ContractionProblem,
  type PartialSums,
  type RangedSchedule,
} from "../schedules/index.js";
import { fitsWinograd, tilesOf } from "../schedules/winograd.js";
import type { PlanSettings } from "./plan.js";

export type PixelNode = Node<"convolution"> | Node<"convolutionInputGradient">;

export interface PixelPlan {
  /** How the windows of the first group move over what is read. */
  readonly windows: Window;
  readonly shares: readonly PixelShare[];
  readonly problem: ContractionProblem;
  readonly sums: PartialSums;
  /** Of all shares: those of the first, which is the largest. */
  readonly schedules: readonly RangedSchedule[];
}

/** Some columns of the result: those of some groups, or some of one group. */
export interface PixelShare {
  readonly groups: PieceGroups;
  /** vec4 columns of each group, and the first of them in a group. */
  readonly columns: number;
  readonly firstQuad: number;
}

/** Whether a node is a contraction over pixels: the direct form and matrix products are not. */
export function isOverPixels(node: AnyNode): node is AnyNode & PixelNode {
  if (node.kind !== "convolution" && node.kind !== "convolutionInputGradient") return false;
  const { isDirect, coversInput } = geometryOf(node);
  return !isDirect && (node.kind === "convolution" || !coversInput);
}

export function geometryOf(node: PixelNode): ConvolutionGeometry {
  const [from, to] = [node.inputs[0]!.shape, node.outputs[0]!.shape];
  return node.kind === "convolution"
    ? new ConvolutionGeometry(node.attributes, from, to)
    : new ConvolutionGeometry(node.attributes, to, from);
}

export function planPixels(settings: PlanSettings, node: PixelNode): PixelPlan {
  const read = settings.layouts.get(node.inputs[0]!.id)!;
  const { pixels, quads } = settings.layouts.get(node.outputs[0]!.id)!;
  const geometry = geometryOf(node);
  const isProduct = node.kind === "convolution" && geometry.coversInput && read.isContiguous;
  const windows = isProduct ? productWindow(read) : windowsOf(node, geometry, read);
  const shared =
    node.kind === "convolution" ? weightShares(settings, node) : flippedShares(settings, geometry);
  const [{ columns, groups }] = shared as [PixelShare, ...PixelShare[]];
  const tiles =
    isProduct || shared.length > 1 ? undefined : winogradTiles(settings, node, geometry);
  const problem: ContractionProblem = {
    form: "pixels",
    rows: { fixed: 0, perImage: pixels },
    columns: { fixed: columns, perImage: 0 },
    depth: { fixed: windows.segments * windows.run, perImage: 0 },
    groups: groups.count,
    ...(tiles !== undefined && { tiles: { fixed: 0, perImage: tiles } }),
  };
  const sums = { bindable: bindableBytes(settings.limits), partialBytes: 16 * pixels * quads };
  const { target, tuned } = settings;
  const schedules = chooseSchedules(problem, target, { ...sums, tuned });
  return { windows, shares: shared, problem, sums, schedules };
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
  { parameter }: Pick<PlanSettings, "parameter">,
  { inputs: [, weights] }: Node<"convolution">,
): readonly PixelShare[] {
  const { pieces, layout } = parameter(weights as Value);
  if (layout.kind !== "contraction") throw new Error(`${weights!.name} are not of a contraction`);
  return pieces.map((piece) => {
    const groups = groupsOf(piece, layout);
    return { groups, columns: roundUpTo4(groups.outputs) / 4, firstQuad: piece.start / 4 };
  });
}

/**
 * A share for each part of the flipped weights that fits a buffer: some groups, or inputs of one.
 */
function flippedShares(
  { limits }: Pick<PlanSettings, "limits">,
  geometry: ConvolutionGeometry,
): readonly PixelShare[] {
  const { groups, kernel } = geometry.attributes;
  const outputs = roundUpTo4(geometry.groupOutputs);
  const quads = roundUpTo4(geometry.groupInputs) / 4;
  const fitting = Math.floor(bindableBytes(limits) / (16 * kernel[0] * kernel[1] * outputs));
  const wholeGroups = Math.max(1, Math.floor(fitting / quads));
  const ofGroup = shares(quads, evenShare(quads, Math.max(1, fitting)));
  return shares(groups, evenShare(groups, wholeGroups)).flatMap((count, index, counts) =>
    ofGroup.map((columns, part) => ({
      groups: { first: index * counts[0]!, count, outputs },
      columns,
      firstQuad: part * ofGroup[0]!,
    })),
  );
}

/**
 * 3x3 windows that move by one pixel over whole vec4 can go by tiles of 2x2 outputs: how many tiles
 * an image has.
 */
function winogradTiles(
  { layouts, limits }: Pick<PlanSettings, "layouts" | "limits">,
  { inputs, outputs }: PixelNode,
  { attributes }: ConvolutionGeometry,
): number | undefined {
  const { kernel, stride, dilation, groups } = attributes;
  const isEach = (pair: readonly number[], size: number) => pair.every((each) => each === size);
  const fits = isEach(kernel, 3) && isEach(stride, 1) && isEach(dilation, 1) && groups === 1;
  const read = layouts.get(inputs[0]!.id)!;
  if (!fits || read.pitch % 4 !== 0) return undefined;
  const { pixels, width, quads: columns } = layouts.get(outputs[0]!.id)!;
  const tiles = tilesOf(pixels, width).count;
  const sizes = { tiles, quads: read.pitch / 4, columns };
  return fitsWinograd(sizes, bindableBytes(limits)) ? tiles : undefined;
}
