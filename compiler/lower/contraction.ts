import { contractionRows } from "../../program/pieces.js";
import type { Node, Value } from "../ir/graph.js";
import { roundUpTo4 } from "../layout/activation-layout.js";
import { ofGroups } from "../layout/window.js";
import type { PixelNode, PixelPlan } from "../plan/pixels.js";
import { geometryOf } from "../layout/geometry.js";
import type { LoweringContext } from "./context.js";
import { lowerDirect } from "./direct.js";
import { flippedWeights, taps } from "./flipped-weights.js";
import { lowerEpilogue } from "./fused.js";
import { gatherFor } from "./gather.js";
import { resultOf, type PixelPart } from "./pixel-part.js";
import { pixelSteps } from "./pixels.js";
import { lowerFeatures, lowerTransposed } from "./products.js";
import type { StepDraft } from "./step-draft.js";

/**
 * Forward: rows are output pixels; a layer whose window covers the input is a matrix product over
 * its features.
 */
export function lowerConvolution(
  context: LoweringContext,
  node: Node<"convolution">,
): readonly StepDraft[] {
  const plan = context.choice(node);
  return plan.form === "direct"
    ? lowerDirect(context, node)
    : overPixels(context, node, plan, forwardParts(context, node, plan));
}

/**
 * Input gradient: the output gradient, spread by the stride in its halo, convolved with flipped and
 * transposed weights; or a matrix product.
 */
export function lowerInputGradient(
  context: LoweringContext,
  node: Node<"convolutionInputGradient">,
): readonly StepDraft[] {
  const plan = context.choice(node);
  switch (plan.form) {
    case "direct":
      return lowerDirect(context, node);
    case "transposed":
      return lowerTransposed(context, node, plan);
    case "features":
      return lowerFeatures(context, node, plan);
    case "pixels":
      return [
        ...flippedWeights(context, node, plan),
        ...overPixels(context, node, plan, gradientParts(context, node, plan)),
      ];
  }
}

function overPixels(
  context: LoweringContext,
  node: PixelNode,
  plan: PixelPlan,
  parts: readonly PixelPart[],
): readonly StepDraft[] {
  const [output] = node.outputs as [Value];
  return pixelSteps(node, plan.ranges, {
    result: resultOf(context, output),
    finish: lowerEpilogue(context, node.fusion?.epilogue, output),
    gather: gatherFor(context, node),
    parts,
  });
}

/** A part for each piece of the weights. */
function forwardParts(
  context: LoweringContext,
  node: Node<"convolution">,
  { windows, shares }: PixelPlan,
): readonly PixelPart[] {
  const [input, weights] = node.inputs as [Value, Value];
  const { macs, outputs } = geometryOf(node);
  const { pieces, layout } = context.parameter(weights);
  if (layout.kind !== "contraction") throw new Error(`${weights.name} are not of a contraction`);
  const stored = context.piecesOf(weights);
  return shares.map(({ groups: held, columns, firstQuad }, index) => ({
    input: context.storageOf(input),
    weights: stored[index]!,
    window: {
      ...ofGroups(windows, held.first),
      weights_group: held.count > 1 ? contractionRows(layout) * columns : 0,
    },
    groups: held.count,
    columns,
    firstQuad,
    macs: macs * (pieces[index]!.count / outputs),
  }));
}

/** A part for each share of the flipped weights. */
function gradientParts(
  context: LoweringContext,
  node: Node<"convolutionInputGradient">,
  { windows, shares }: PixelPlan,
): readonly PixelPart[] {
  const geometry = geometryOf(node);
  const groupQuads = roundUpTo4(geometry.groupInputs) / 4;
  return shares.map(({ groups, columns, firstQuad, flipped }) => ({
    input: context.storageOf(node.inputs[0]!),
    weights: flipped!,
    window: {
      ...ofGroups(windows, groups.first),
      weights_group: groups.count > 1 ? taps(geometry) * groups.outputs * columns : 0,
    },
    groups: groups.count,
    columns,
    firstQuad: groups.first * groupQuads + firstQuad,
    macs: geometry.macs * (groups.count / node.attributes.groups) * (columns / groupQuads),
  }));
}
