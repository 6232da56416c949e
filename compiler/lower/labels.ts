import { classTotals, type Node, type Value } from "../ir/graph.js";
import { ones } from "../ir/labels.js";
import { labelMean, labelMeanGradient, oneHot } from "../kernels/labels.js";
import { perImage } from "../plan/storage.js";
import { totalsOf } from "./classification.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import { quadSteps } from "./quads.js";
import type { StepDraft } from "./step-draft.js";

export function lowerOneHot(context: LoweringContext, node: Node<"oneHot">): readonly StepDraft[] {
  const [labels] = node.inputs as [Value];
  const [result] = node.outputs as [Value];
  const { height, channels } = context.layout(result);
  return quadSteps(context, node, {
    label: `${labels.name} by class`,
    result,
    kernel: oneHot(),
    buffers: { labels: context.storageOf(labels) },
    constants: { rows: height, own_channels: channels },
  });
}

export function lowerLabelMean(
  context: LoweringContext,
  node: Node<"labelMean">,
): readonly StepDraft[] {
  const [input, labels] = node.inputs as [Value, Value];
  const [sums] = node.outputs as [Value];
  const layout = context.layout(input);
  const { width, height, channels } = layout;
  return [
    dispatch(labelMean(), {
      buffers: {
        input: context.storageOf(input),
        labels: context.storageOf(labels),
        sums: context.storageOf(sums),
      },
      constants: {
        width,
        height,
        channels,
        input: layout.inFloats(),
        classes: node.attributes.classes,
        sums: context.layout(sums).inFloats(),
      },
      workgroups: { x: { ...perImage(height), tile: 1 }, z: 1 },
      label: `mean of ${input.name} over ${labels.name}`,
      origin: node.origin,
    }),
  ];
}

export function lowerLabelMeanGradient(
  context: LoweringContext,
  node: Node<"labelMeanGradient">,
): readonly StepDraft[] {
  const [labels] = node.inputs as [Value];
  const [result] = node.outputs as [Value];
  const { classes, weight } = node.attributes;
  const layout = context.layout(result);
  const { width, height, channels } = layout;
  const { graph } = context.plan;
  const { total } = totalsOf(graph, labels, ones(classes), false)!;
  return [
    dispatch(labelMeanGradient(classTotals(graph).length), {
      buffers: { labels: context.storageOf(labels), result: context.storageOf(result) },
      constants: {
        width,
        height,
        channels,
        classes,
        weight,
        total: total!,
        result: layout.inFloats(),
      },
      threads: perImage(height * width),
      label: `mean over ${labels.name}, gradient`,
      origin: node.origin,
    }),
  ];
}
