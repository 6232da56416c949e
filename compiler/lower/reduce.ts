import { SUMS_AT_ONCE } from "../../program/program.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import {
  classTotals,
  indexOfTotal,
  sumChunks,
  type Graph,
  type LabelRule,
  type Node,
  type Value,
} from "../ir/graph.js";
import {
  classification,
  classificationOutputs,
  type ClassificationVariant,
} from "../kernels/classification.js";
import { batchSums, channelSum, elementLoss, softmax, softmaxGradient } from "../kernels/reduce.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import { lowerGradientSink } from "./gradient-sink.js";
import { fixed, perImage } from "../plan/storage.js";
import type { StepDraft } from "./step-draft.js";

export function lowerChannelSum(
  context: LoweringContext,
  node: Node<"channelSum">,
): readonly StepDraft[] {
  const input = node.inputs[0]!;
  const layout = context.layout(input);
  const { pixels, width, quads } = layout;
  const sink = lowerGradientSink(context, node);
  return [
    dispatch(channelSum(sink.use), {
      buffers: { input: context.storageOf(input) },
      constants: { pixels, width, input: layout.inQuads() },
      fragments: [sink.bound(0)],
      workgroups: { x: { ...fixed(quads), tile: 1 }, z: 1 },
      label: `${node.origin.name} bias ${sink.label}`,
      origin: node.origin,
    }),
  ];
}

export function lowerBatchSums(
  context: LoweringContext,
  node: Node<"batchSums">,
): readonly StepDraft[] {
  const { shares } = node.attributes;
  const result = context.storageOf(node.outputs[0]!);
  return sumChunks(node.inputs).map((inputs, chunk) => {
    const at = chunk * SUMS_AT_ONCE;
    const values = inputs.map(
      (input, index) => [`values${index}`, context.storageOf(input)] as const,
    );
    const flags = inputs.map((_, index) => [`share${index}`, Number(shares[at + index])] as const);
    return dispatch(batchSums(inputs.length), {
      buffers: { ...Object.fromEntries(values), sums: result },
      constants: {
        at,
        unfit_at: node.inputs.length + chunk,
        ...Object.fromEntries(flags),
      },
      workgroups: { x: { ...fixed(1), tile: 1 }, z: 1 },
      label: "loss and metrics",
      origin: node.origin,
    });
  });
}

export function lowerElementLoss(
  context: LoweringContext,
  node: Node<"elementLoss">,
): readonly StepDraft[] {
  const [prediction, target] = node.inputs as [Value, Value];
  const layout = context.layout(prediction);
  const { pixels, width, channels } = layout;
  return [
    dispatch(elementLoss(node.attributes.expression), {
      buffers: {
        predictions: context.storageOf(prediction),
        targets: context.storageOf(target),
        losses: context.storageOf(node.outputs[0]!),
      },
      constants: {
        pixels,
        width,
        channels,
        predictions: layout.inFloats(),
        targets: context.layout(target).inFloats(),
      },
      workgroups: { x: { ...perImage(1), tile: 1 }, z: 1 },
      label: `${target.name} against ${prediction.name}`,
      origin: node.origin,
    }),
  ];
}

/** A workgroup for each pixel. */
export function lowerSoftmax(
  context: LoweringContext,
  node: Node<"softmax">,
): readonly StepDraft[] {
  const [input, output] = [node.inputs[0]!, node.outputs[0]!];
  const layout = context.layout(input);
  const { pixels, width, channels } = layout;
  return [
    dispatch(softmax(), {
      buffers: { input: context.storageOf(input), result: context.storageOf(output) },
      constants: {
        pixels,
        width,
        channels,
        input: layout.inQuads(),
        result: context.layout(output).inQuads(),
      },
      workgroups: { x: { ...perImage(pixels), tile: 1 }, z: 1 },
      label: `${node.origin.name} forward`,
      origin: node.origin,
    }),
  ];
}

/** A workgroup for each pixel. */
export function lowerSoftmaxGradient(
  context: LoweringContext,
  node: Node<"softmaxGradient">,
): readonly StepDraft[] {
  const [probabilities, gradient] = node.inputs as [Value, Value];
  const [result] = node.outputs as [Value];
  const layout = context.layout(probabilities);
  const { pixels, width, channels } = layout;
  return [
    dispatch(softmaxGradient(), {
      buffers: {
        input: context.storageOf(probabilities),
        gradient: context.storageOf(gradient),
        result: context.storageOf(result),
      },
      constants: {
        pixels,
        width,
        channels,
        input: layout.inQuads(),
        gradient: context.layout(gradient).inQuads(),
        result: context.layout(result).inQuads(),
      },
      workgroups: { x: { ...perImage(pixels), tile: 1 }, z: 1 },
      label: `${node.origin.name} gradient`,
      origin: node.origin,
    }),
  ];
}

/** What one pass over the logits makes, apart from what the labels say. */
type Made = Pick<ClassificationVariant, "loss" | "gradient" | "topK">;

/** Loss, hits and gradient of logits, or some of them. */
function classificationSteps(
  context: LoweringContext,
  node: Pick<Node, "inputs" | "outputs" | "origin">,
  made: Made,
  { smoothing, classWeights = [], weight = 1 }: LabelRule & { readonly weight?: number },
): readonly StepDraft[] {
  const [logits, labels, partners, shares] = node.inputs as [Value, Value, Value?, Value?];
  const layout = context.layout(logits);
  const mixed = partners !== undefined;
  const totals = made.gradient
    ? totalsOf(context.plan.graph, labels, classWeights, mixed)
    : undefined;
  const variant: ClassificationVariant = {
    ...made,
    mixed,
    weightedClasses: classWeights.length,
    totals: totals ? classTotals(context.plan.graph).length : 0,
  };
  const stored = (value: Value | undefined) => value && context.storageOf(value);
  const outputs = classificationOutputs(variant);
  const results = outputs.map((name, index) => [name, stored(node.outputs[index])!] as const);
  return [
    dispatch(classification(variant), {
      buffers: {
        input: context.storageOf(logits),
        labels: context.storageOf(labels),
        ...withoutUndefined({
          partners: mixed ? stored(partners) : undefined,
          shares: mixed ? stored(shares) : undefined,
        }),
        ...Object.fromEntries(results),
      },
      constants: {
        ...withoutUndefined({ class_weights: classWeights.length > 0 ? classWeights : undefined }),
        pixels: 1,
        width: 1,
        channels: layout.channels,
        ...withoutUndefined({
          smoothing: made.loss || made.gradient ? smoothing : undefined,
          weight: made.gradient ? weight : undefined,
          result: made.gradient ? context.layout(node.outputs.at(-1)!).inQuads() : undefined,
        }),
        ...totals,
        input: layout.inQuads(),
      },
      workgroups: { x: { ...perImage(1), tile: 1 }, z: 1 },
      label: `${labels.name} against ${logits.name}`,
      origin: node.origin,
    }),
  ];
}

/** Which of the frame's totals a gradient's means divide by; none where all classes count alike. */
function totalsOf(
  graph: Graph,
  { name: target }: Value,
  weights: readonly number[],
  mixed: boolean,
): Record<string, number> | undefined {
  if (weights.length === 0) return undefined;
  const totals = classTotals(graph);
  const place = (of: "labels" | "partners") => indexOfTotal(totals, { of, target, weights });
  return {
    total: place("labels"),
    ...withoutUndefined({ partner_total: mixed ? place("partners") : undefined }),
  };
}

export function lowerClassification(
  context: LoweringContext,
  node: Node<"classification">,
): readonly StepDraft[] {
  const { topK, gradient } = node.attributes;
  return classificationSteps(context, node, { loss: true, gradient, topK }, node.attributes);
}

export function lowerCrossEntropy(
  context: LoweringContext,
  node: Node<"crossEntropy">,
): readonly StepDraft[] {
  return classificationSteps(
    context,
    node,
    { loss: true, gradient: false, topK: [] },
    node.attributes,
  );
}

export function lowerCrossEntropyGradient(
  context: LoweringContext,
  node: Node<"crossEntropyGradient">,
): readonly StepDraft[] {
  return classificationSteps(
    context,
    node,
    { loss: false, gradient: true, topK: [] },
    node.attributes,
  );
}

export function lowerAccuracy(
  context: LoweringContext,
  node: Node<"accuracy">,
): readonly StepDraft[] {
  const { k } = node.attributes;
  return classificationSteps(
    context,
    node,
    { loss: false, gradient: false, topK: [k] },
    { smoothing: 0 },
  );
}
