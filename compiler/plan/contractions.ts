import { planPixels, type PixelPlan } from "./pixels.js";
import { geometryOf, type ContractionNode } from "../layout/geometry.js";
import type { ContractionChoice } from "./problem.js";
import { planProduct, type FeaturePlan, type TransposedPlan } from "./products.js";
import type { PlanSettings } from "./settings.js";
import { planWeights, type WeightPlan } from "./weights.js";

/** A lane for each element, without a schedule: groups whose channels do not come in fours. */
export interface DirectPlan {
  readonly form: "direct";
}

export type ConvolutionPlan = DirectPlan | PixelPlan;
export type InputGradientPlan = DirectPlan | PixelPlan | TransposedPlan | FeaturePlan;
export type WeightGradientPlan = DirectPlan | WeightPlan;

/** The form in which a convolution, or a gradient of one, is computed. */
export type ContractionPlan = ConvolutionPlan | InputGradientPlan | WeightGradientPlan;

const DIRECT: DirectPlan = { form: "direct" };

export function planContraction(settings: PlanSettings, node: ContractionNode): ContractionPlan {
  const { isDirect, coversInput } = geometryOf(node);
  if (isDirect) return DIRECT;
  switch (node.kind) {
    case "convolution":
      return planPixels(settings, node);
    case "convolutionInputGradient":
      return coversInput ? planProduct(settings, node) : planPixels(settings, node);
    case "convolutionWeightGradient":
      return planWeights(settings, node);
  }
}

/** What the schedule was chosen for; of several pieces, that of the first. */
export function problemOf(plan: ContractionPlan): ContractionChoice | undefined {
  switch (plan.form) {
    case "direct":
      return undefined;
    case "features":
    case "weights":
      return plan.pieces[0];
    default:
      return plan;
  }
}
