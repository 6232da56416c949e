import { withoutUndefined } from "../../program/without-undefined.js";
import { classTotals, type Node, type PixelRule, type Value } from "../ir/graph.js";
import { ones } from "../ir/labels.js";
import {
  pixelHits,
  pixelLoss,
  pixelLossGradient,
  pixelOverlaps,
  pixelTopHits,
} from "../kernels/pixel-classification.js";
import { perImage } from "../plan/storage.js";
import { totalsOf } from "./classification.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import type { StepDraft } from "./step-draft.js";

export type PixelNode = Pick<Node, "inputs" | "outputs" | "origin">;

/** What all kernels of pixels are given alike. */
export function pixelParts(context: LoweringContext, { inputs, origin }: PixelNode) {
  const [logits, labels] = inputs as [Value, Value];
  const { width, height, channels, place } = sizesOf(context, logits);
  return {
    buffers: { input: context.storageOf(logits), labels: context.storageOf(labels) },
    constants: { width, height, channels, input: place },
    rows: { workgroups: { x: { ...perImage(height), tile: 1 }, z: 1 } },
    pixels: { threads: perImage(height * width) },
    label: `${labels.name} against ${logits.name}`,
    origin,
  };
}

function sizesOf(context: LoweringContext, logits: Value) {
  const layout = context.layout(logits);
  const { width, height, channels } = layout;
  return { width, height, channels, place: layout.inFloats() };
}

const lossConstants = ({ smoothing, classWeights, focus }: PixelRule) => ({
  ...withoutUndefined({ class_weights: classWeights, focus }),
  smoothing,
});

const variantOf = ({ classWeights = [], focus }: PixelRule) => ({
  weightedClasses: classWeights.length,
  isFocal: focus !== undefined,
});

export function lowerPixelCrossEntropy(
  context: LoweringContext,
  node: Node<"pixelCrossEntropy">,
): readonly StepDraft[] {
  const { buffers, constants, rows, label, origin } = pixelParts(context, node);
  const [losses] = node.outputs as [Value];
  return [
    dispatch(pixelLoss(variantOf(node.attributes)), {
      buffers: { ...buffers, losses: context.storageOf(losses) },
      constants: {
        ...constants,
        ...lossConstants(node.attributes),
        losses: context.layout(losses).inFloats(),
      },
      ...rows,
      label,
      origin,
    }),
  ];
}

export function lowerPixelCrossEntropyGradient(
  context: LoweringContext,
  node: Node<"pixelCrossEntropyGradient">,
): readonly StepDraft[] {
  const { weight, ...rule } = node.attributes;
  const { buffers, constants, pixels, label, origin } = pixelParts(context, node);
  const [result] = node.outputs as [Value];
  const { graph } = context.plan;
  const weights = rule.classWeights ?? ones(constants.channels);
  const { total } = totalsOf(graph, node.inputs[1]!, weights, false)!;
  const totals = classTotals(graph).length;
  return [
    dispatch(pixelLossGradient({ ...variantOf(rule), totals }), {
      buffers: { ...buffers, result: context.storageOf(result) },
      constants: {
        ...constants,
        ...lossConstants(rule),
        weight,
        total: total!,
        result: context.layout(result).inFloats(),
      },
      ...pixels,
      label: `${label}, gradient`,
      origin,
    }),
  ];
}

export function lowerPixelHits(
  context: LoweringContext,
  node: Node<"pixelHits">,
): readonly StepDraft[] {
  const { buffers, constants, rows, label, origin } = pixelParts(context, node);
  const [hits] = node.outputs as [Value];
  const { k } = node.attributes;
  const parts = { ...rows, label, origin, buffers: { ...buffers, hits: context.storageOf(hits) } };
  const place = { ...constants, hits: context.layout(hits).inFloats() };
  const counted =
    k === 1
      ? dispatch(pixelHits(), { ...parts, constants: place })
      : dispatch(pixelTopHits(), { ...parts, constants: { ...place, k } });
  return [counted];
}

export function lowerPixelOverlaps(
  context: LoweringContext,
  node: Node<"pixelOverlaps">,
): readonly StepDraft[] {
  const { buffers, constants, rows, label, origin } = pixelParts(context, node);
  const [overlaps] = node.outputs as [Value];
  return [
    dispatch(pixelOverlaps(), {
      buffers: { ...buffers, overlaps: context.storageOf(overlaps) },
      constants: { ...constants, overlaps: context.layout(overlaps).inFloats() },
      ...rows,
      label,
      origin,
    }),
  ];
}
