import { portsOf, type AnyNode, type Graph, type OpKind, type Value } from "../ir/graph.js";
import { isActivation } from "./choose-layouts.js";
import { usesOf, type Uses } from "../ir/uses.js";

/** The ids of the values that are stored in 16 bits. */
export type HalfValues = ReadonlySet<number>;

export const NO_HALVES: HalfValues = new Set();

/**
 * Chooses what is stored in 16 bits where a recipe asks for mixed precision (Micikevicius et al.,
 * "Mixed precision training", ICLR 2018): activations and their gradients, which are most of what
 * training keeps and moves. Every kernel computes and sums in 32 bits; what it stores in 16 is
 * rounded once.
 *
 * In 32 bits stay whatever is not an activation (weights, their gradients, what the optimizer
 * keeps, statistics, means, losses), and of the activations the prediction and those next to a
 * loss, a softmax or a sum of squares: where PyTorch's autocast has f32, too.
 */
export function chooseHalves(graph: Graph, uses = usesOf(graph)): HalfValues {
  const predicted = portsOf(graph, "prediction");
  const values = [...portsOf(graph, "input"), ...graph.nodes.flatMap((node) => node.outputs)];
  const half = new Set(
    values
      .filter((value) => isActivation(value) && !predicted.includes(value))
      .filter((value) => !neighborsKeepFloats(value, uses))
      .map(({ id }) => id),
  );
  spreadOverReshapes(graph, half);
  keepSpread(graph, half);
  return half;
}

/** Ops whose activations stay in 32 bits, those that they read and those that they make. */
const PRECISE = new Set<OpKind>([
  ...(["crossEntropy", "crossEntropyGradient", "classification", "accuracy"] as const),
  ...(["elementLoss", "softmax", "softmaxGradient", "scaleGradient"] as const),
  ...(["pixelCrossEntropy", "pixelCrossEntropyGradient", "pixelHits"] as const),
  ...(["labelMean", "labelMeanGradient"] as const),
  ...(["pixelOverlaps", "exampleSum", "batchSums"] as const),
  ...(["diceSums", "diceSumsGradient", "dice", "diceGradient"] as const),
  ...(["detectionLoss", "detectionLossGradient"] as const),
]);

function neighborsKeepFloats(value: Value, uses: Uses): boolean {
  const maker = uses.maker(value);
  const neighbors = [...(maker ? [maker] : []), ...uses.readers(value)];
  return (
    neighbors.some(({ kind }) => PRECISE.has(kind)) ||
    (maker !== undefined && keepsFloats(maker, value)) ||
    uses
      .readers(value)
      .some((reader) => isBareWindow(reader, "prologue") || areGains(reader, value))
  );
}

const keepsFloats = (maker: AnyNode, value: Value) =>
  isBareWindow(maker) || keepsOfRows(maker, value) || maker.kind === "reduce";

/** Whether a value is what the scores of an attention gain. */
const areGains = ({ kind, inputs }: AnyNode, value: Value): boolean =>
  kind === "attention" && inputs.indexOf(value) > 0;

/**
 * Whether a sum over channels leaves, or reads, what an expression has not yet brought back from
 * squares.
 */
function isBareWindow(node: AnyNode, fused: "prologue" | "epilogue" = "epilogue"): boolean {
  return node.kind === "channelWindowSum" && node.fusion?.[fused] === undefined;
}

/**
 * Whether a value is what an attention keeps of its rows: exponents, which need their digits, or
 * what its scores gain, which are few sums of many.
 */
const keepsOfRows = ({ kind, outputs }: AnyNode, value: Value): boolean =>
  (kind === "attention" || kind === "attentionGradient") && outputs.indexOf(value) > 0;

/** What a sum, which may be beyond 16 bits, is spread to is beyond them as well. */
function keepSpread({ nodes }: Graph, half: Set<number>): void {
  for (const { kind, inputs, outputs } of nodes)
    if (kind === "spread" && !half.has(inputs[0]!.id)) half.delete(outputs[0]!.id);
}

const RENAMING = new Set<OpKind>(["reshape", "rearrange", "rearrangeGradient"]);

/**
 * A reshape may be another name for the same memory: what it reads and what it makes are stored
 * alike.
 */
function spreadOverReshapes({ nodes }: Graph, half: Set<number>): void {
  const reshapes = nodes.filter(({ kind, fusion }) => RENAMING.has(kind) && !fusion);
  // Forward along chains of them, and back.
  for (const { inputs, outputs } of [...reshapes, ...reshapes.toReversed()]) {
    const ids = [inputs[0]!.id, outputs[0]!.id];
    if (!ids.every((id) => half.has(id))) for (const id of ids) half.delete(id);
  }
}
