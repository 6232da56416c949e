import { SUMS_AT_ONCE } from "../../program/program.js";
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
  CLASS_WEIGHTS,
  classification,
  type ClassificationVariant,
} from "../kernels/classification.js";
import { tableConstants } from "../kernels/kernel.js";
import { batchSums, channelSum, elementLoss, softmax, softmaxGradient } from "../kernels/reduce.js";
import type { LoweringContext } from "./context.js";
import { lowerGradientSink } from "./gradient-sink.js";
import { fixed, floatBits, perImage } from "./storage.js";

export function lowerChannelSum(context: LoweringContext, node: Node<"channelSum">): void {
  const input = node.inputs[0]!;
  const layout = context.layout(input);
  const sink = lowerGradientSink(context, node);
  context.emit({
    kernel: channelSum(sink.use),
    storage: [context.storageOf(input), ...sink.storage(0)],
    constants: {
      pixels: layout.pixels,
      width: layout.width,
      ...layout.place("a"),
      ...sink.constants,
    },
    workgroups: { x: { ...fixed(layout.quads), tile: 1 }, z: 1 },
    label: `${node.origin.name} bias ${sink.label}`,
    origin: node.origin,
    macs: 0,
  });
}

export function lowerBatchSums(context: LoweringContext, node: Node<"batchSums">): void {
  const { metrics } = context.persistent;
  if (!metrics) throw new Error("a program without a loss has no metrics");
  const { shares } = node.attributes;
  sumChunks(node.inputs).forEach((inputs, chunk) => {
    const at = chunk * SUMS_AT_ONCE;
    const flags = inputs.map((_, index) => [`share${index}`, Number(shares[at + index])] as const);
    context.emit({
      kernel: batchSums(inputs.length),
      storage: [...inputs.map((input) => context.storageOf(input)), metrics],
      constants: { at, unfit_at: node.inputs.length + chunk, ...Object.fromEntries(flags) },
      workgroups: { x: { ...fixed(1), tile: 1 }, z: 1 },
      label: "loss and metrics",
      origin: node.origin,
      macs: 0,
    });
  });
}

export function lowerElementLoss(context: LoweringContext, node: Node<"elementLoss">): void {
  const [prediction, target] = node.inputs as [Value, Value];
  const { pixels, width, channels } = context.layout(prediction);
  context.emit({
    kernel: elementLoss(node.attributes.expression),
    storage: [...node.inputs, node.outputs[0]!].map((value) => context.storageOf(value)),
    constants: {
      ...{ pixels, width, channels },
      ...context.layout(prediction).placeInFloats("a"),
      ...context.layout(target).placeInFloats("b"),
    },
    workgroups: { x: { ...perImage(1), tile: 1 }, z: 1 },
    label: `${target.name} against ${prediction.name}`,
    origin: node.origin,
    macs: 0,
  });
}

/** A workgroup for each pixel of the first input. */
function emitRows(
  context: LoweringContext,
  node: Node<"softmax"> | Node<"softmaxGradient">,
  names: readonly string[],
): void {
  const values = [...node.inputs, node.outputs[0]!];
  const layout = context.layout(values[0]!);
  const places = values.map((value, index) => context.layout(value).place(names[index]!));
  context.emit({
    kernel: node.kind === "softmax" ? softmax() : softmaxGradient(),
    storage: values.map((value) => context.storageOf(value)),
    constants: {
      pixels: layout.pixels,
      width: layout.width,
      channels: layout.channels,
      ...(Object.assign({}, ...places) as Record<string, number>),
    },
    workgroups: { x: { ...perImage(layout.pixels), tile: 1 }, z: 1 },
    label: `${node.origin.name} ${node.kind === "softmax" ? "forward" : "gradient"}`,
    origin: node.origin,
    macs: 0,
  });
}

export function lowerSoftmax(context: LoweringContext, node: Node<"softmax">): void {
  emitRows(context, node, ["a", "y"]);
}

export function lowerSoftmaxGradient(
  context: LoweringContext,
  node: Node<"softmaxGradient">,
): void {
  emitRows(context, node, ["a", "d", "y"]);
}

/** What one pass over the logits makes, beside what the labels say. */
type Made = Pick<ClassificationVariant, "loss" | "gradient" | "topK">;

/** Loss, hits and gradient of logits, or some of them. */
function emitClassification(
  context: LoweringContext,
  node: Pick<Node, "inputs" | "outputs" | "origin">,
  made: Made,
  { smoothing, classWeights = [], weight = 1 }: LabelRule & { readonly weight?: number },
): void {
  const [logits, labels] = node.inputs as [Value, Value];
  const layout = context.layout(logits);
  const gradient = made.gradient ? context.layout(node.outputs.at(-1)!).place("y") : {};
  const mixed = node.inputs.length > 2;
  const totals = made.gradient ? totalsOf(context.graph, classWeights, mixed) : undefined;
  context.emit({
    kernel: classification({
      ...made,
      mixed,
      weightedClasses: classWeights.length,
      totals: totals ? classTotals(context.graph).length : 0,
    }),
    storage: [...node.inputs, ...node.outputs].map((value) => context.storageOf(value)),
    constants: {
      ...tableConstants(CLASS_WEIGHTS, classWeights.map(floatBits)),
      pixels: 1,
      width: 1,
      channels: layout.channels,
      smoothing: floatBits(smoothing),
      weight: floatBits(weight),
      ...totals,
      ...layout.place("a"),
      ...gradient,
    },
    workgroups: { x: { ...perImage(1), tile: 1 }, z: 1 },
    label: `${labels.name} against ${logits.name}`,
    origin: node.origin,
    macs: 0,
  });
}

/** Which of the frame's totals a gradient's means divide by; none where all classes count alike. */
function totalsOf(
  graph: Graph,
  weights: readonly number[],
  mixed: boolean,
): Record<string, number> | undefined {
  if (weights.length === 0) return undefined;
  const place = (of: "labels" | "partners") => indexOfTotal(classTotals(graph), { of, weights });
  return { total: place("labels"), ...(mixed && { partner_total: place("partners") }) };
}

export function lowerClassification(context: LoweringContext, node: Node<"classification">): void {
  const { topK, gradient } = node.attributes;
  emitClassification(context, node, { loss: true, gradient, topK }, node.attributes);
}

export function lowerCrossEntropy(context: LoweringContext, node: Node<"crossEntropy">): void {
  emitClassification(context, node, { loss: true, gradient: false, topK: [] }, node.attributes);
}

export function lowerCrossEntropyGradient(
  context: LoweringContext,
  node: Node<"crossEntropyGradient">,
): void {
  emitClassification(context, node, { loss: false, gradient: true, topK: [] }, node.attributes);
}

export function lowerAccuracy(context: LoweringContext, node: Node<"accuracy">): void {
  const { k } = node.attributes;
  emitClassification(context, node, { loss: false, gradient: false, topK: [k] }, { smoothing: 0 });
}
