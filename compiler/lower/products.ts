/** Input gradients of matrix products, such as linear layers. */
import type { Node, Value } from "../ir/graph.js";
import { featureContraction } from "../kernels/contraction-features.js";
import { pieceLabel } from "../layout/parameters.js";
import { oneRun } from "../layout/window.js";
import { labelOf } from "../plan/labels.js";
import { geometryOf } from "../layout/geometry.js";
import type { FeaturePlan, TransposedPlan } from "../plan/products.js";
import { perImage } from "../plan/storage.js";
import { roundUpTo4 } from "../layout/activation-layout.js";
import { rowsPerBlock } from "../schedules/schedule.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import { lowerEpilogue, UNFUSED, withChannels } from "./fused.js";
import { resultOf } from "./pixel-part.js";
import { pixelSteps } from "./pixels.js";
import type { StepDraft } from "./step-draft.js";

type ProductNode = Node<"convolutionInputGradient">;

/** As a contraction whose rows are images: every piece of the weights is a part of K. */
export function lowerTransposed(
  context: LoweringContext,
  node: ProductNode,
  { result: { channels, ...shape }, ranges }: TransposedPlan,
): readonly StepDraft[] {
  const [gradient, weights] = node.inputs as [Value, Value];
  const [output] = node.outputs as [Value];
  const geometry = geometryOf(node);
  const from = context.layout(gradient).inQuads();
  const finish = lowerEpilogue(context, node.fusion?.epilogue, output);
  const stored = context.piecesOf(weights);
  return pixelSteps(node, ranges, {
    result: { ...resultOf(context, output), ...shape },
    finish: channels === undefined ? finish : withChannels(finish, channels),
    order: "columns first",
    parts: context.parameter(weights).pieces.map(({ start, count }, index) => {
      const run = roundUpTo4(count) / 4;
      return {
        input: context.storageOf(gradient),
        weights: stored[index]!,
        window: {
          ...oneRun(run),
          input_group: 0,
          weights_group: 0,
          weights_column: run,
          input: { ...from, base: from.base + start / 4 },
        },
        groups: 1,
        columns: shape.quads,
        firstQuad: 0,
        macs: geometry.macs * (count / geometry.outputs),
      };
    }),
  });
}

/**
 * With lanes for images: every piece of the weights adds its output channels' share; the last one
 * finishes.
 */
export function lowerFeatures(
  context: LoweringContext,
  node: ProductNode,
  { features, pieces: planned }: FeaturePlan,
): readonly StepDraft[] {
  const [gradient, weights] = node.inputs as [Value, Value];
  const [output] = node.outputs as [Value];
  const { macs, outputs } = geometryOf(node);
  const layout = context.layout(output);
  const { quads, pixels, width } = layout;
  const from = context.layout(gradient).inQuads();
  const finish = lowerEpilogue(context, node.fusion?.epilogue, output);
  const { pieces } = context.parameter(weights);
  return planned.map(({ schedule, run }, index) => {
    const { start, count } = pieces[index]!;
    const isLast = index === pieces.length - 1;
    const { epilogue, bound } = isLast ? finish : UNFUSED;
    const sums = index === 0 ? "zero" : "stored";
    return dispatch(featureContraction({ schedule, epilogue, start: sums }), {
      buffers: {
        weights: context.piecesOf(weights)[index]!,
        gradient: context.storageOf(gradient),
        result: context.storageOf(output),
      },
      constants: {
        features,
        quads,
        pixels,
        width,
        run,
        gradient_image: from.image,
        gradient_base: from.base + start / 4,
        result: layout.inQuads(),
      },
      fragments: [bound],
      workgroups: {
        x: { ...perImage(1), tile: schedule.columns },
        z: Math.ceil(features / rowsPerBlock(schedule)),
      },
      label: pieceLabel(labelOf(node), index, pieces.length),
      origin: node.origin,
      macs: macs * (count / outputs),
    });
  });
}
