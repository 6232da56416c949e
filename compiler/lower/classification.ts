import { withoutUndefined } from "../../program/without-undefined.js";
import {
  classTotals,
  indexOfTotal,
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
import { perImage } from "../plan/storage.js";
import type { LoweringContext } from "./context.js";
import { dispatch } from "./dispatch.js";
import type { StepDraft } from "./step-draft.js";

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
export function totalsOf(
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
