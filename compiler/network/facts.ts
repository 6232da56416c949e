/** What follows from a network's parts, for those who make one and those who read it. */
import { RECALL_METRIC, TUPLE_INPUTS } from "../../program/tuples.js";
import { imageShape, labelUnit } from "../ir/shape.js";
import type { TensorType } from "../ir/tensor-type.js";
import type {
  NetworkOutput,
  NetworkPort,
  NetworkValue,
  ResolvedNetwork,
  ResolvedScore,
} from "./resolved.js";

/** The parts of a network that its values come from. */
export type ValueSources = Pick<ResolvedNetwork, "inputs" | "targets" | "layers">;

export function typeOf(
  { inputs, targets, layers }: ValueSources,
  { from, index }: NetworkValue,
): TensorType {
  const source = { input: inputs, target: targets, layer: layers }[from][index];
  if (!source) throw new Error(`the network has no ${from} ${index}`);
  return source.type;
}

export function sameValue(a: NetworkValue, b: NetworkValue): boolean {
  return a.from === b.from && a.index === b.index;
}

/**
 * What the network predicts: what its text declares, or else for each target, in the losses' order,
 * what its first loss is taken of; without a loss of a target, the last value of its text.
 */
export function outputsOf(
  parts: Omit<ResolvedNetwork, "outputs" | "name">,
  last: NetworkValue,
  declared: readonly NetworkValue[] = [],
): readonly NetworkOutput[] {
  const scored = predictedByLosses(parts);
  const [chosen = [last]] = [declared, scored].filter((values) => values.length > 0);
  return chosen.map((value) => outputOf(parts, value));
}

/**
 * For each target, in the losses' order, what its first loss is taken of. Another value of the
 * network, as of `kl`, counts as a target where there is no loss of one.
 */
export function predictedByLosses(parts: Pick<ResolvedNetwork, "losses">): readonly NetworkValue[] {
  const scores = comparisonsWithTargets(parts);
  const firsts = scores.filter(
    ({ target }, index) => scores.findIndex((each) => sameValue(each.target, target)) === index,
  );
  const values = firsts.map(({ prediction }) => prediction);
  return values.filter(
    (value, index) => values.findIndex((each) => sameValue(each, value)) === index,
  );
}

/** All values that a loss compares with a target, in the losses' order. */
export const comparedByLosses = (parts: Pick<ResolvedNetwork, "losses">): readonly NetworkValue[] =>
  comparisonsWithTargets(parts).map(({ prediction }) => prediction);

function comparisonsWithTargets({ losses }: Pick<ResolvedNetwork, "losses">) {
  const all = losses.flatMap(({ score }) => comparisonsOf(score));
  const given = all.filter(({ target }) => target.from !== "layer");
  return given.length > 0 ? given : all;
}

/** What a score takes for the prediction of a target. */
function comparisonsOf({ prediction, target, compares }: ResolvedScore) {
  if (!compares) return target ? [{ prediction, target }] : [];
  const { prediction: own, targets } = compares;
  return own ? targets.map((each) => ({ prediction: own, target: each })) : [];
}

/** Scores of classes are taken of logits; only `softmax` gives probabilities. */
function outputOf(
  { inputs, layers, losses, metrics }: Omit<ResolvedNetwork, "outputs" | "name">,
  value: NetworkValue,
): NetworkOutput {
  const layer = value.from === "layer" ? layers[value.index] : undefined;
  const scores = [...losses.map(({ score }) => score), ...metrics];
  const isLogits = scores.some(
    ({ definition, prediction }) => definition.against !== "values" && sameValue(prediction, value),
  );
  const other = isLogits ? "logits" : "values";
  const gives = layer?.definition.name === "softmax" ? "probabilities" : other;
  return { name: (layer ?? inputs[value.index]!).name, value, gives };
}

/**
 * How many classes the network tells apart; undefined for one that is not compared with labels,
 * and for one with several targets.
 */
export function classesOf(network: ResolvedNetwork): number | undefined {
  const [index, ...others] = comparedTargets(network);
  return index === undefined || others.length > 0 ? undefined : classesOfTarget(network, index);
}

/** How many classes a target has: as it declares them, or as many as are compared with it. */
export function classesOfTarget(network: ResolvedNetwork, index: number): number | undefined {
  const target = network.targets[index]!;
  if (target.type.dtype !== "u32") return undefined;
  const [score] = scoresOf(network).filter(
    ({ target }) => target?.from === "target" && target.index === index,
  );
  return target.classes ?? imageShape(typeOf(network, score!.prediction).shape).channels;
}

/** The target that a score compares something with, if it is one. */
export const targetOf = (
  { targets }: Pick<ResolvedNetwork, "targets">,
  score: Pick<ResolvedScore, "target"> | undefined,
): NetworkPort | undefined =>
  score?.target?.from === "target" ? targets[score.target.index] : undefined;

/** Whether a score takes logits of numbers from 0 to 1: of tags, several of which may be there. */
export const isOfTags = ({ definition }: Pick<ResolvedScore, "definition">): boolean =>
  definition.against === "values" && definition.applies === "sigmoid";

/** Whether a target holds a class for each pixel. */
export const isMask = ({ dtype, shape }: TensorType): boolean =>
  dtype === "u32" && labelUnit(shape) === "pixel";

/** Whether a target holds a class for each token. */
export const isOfTokens = ({ dtype, shape }: TensorType): boolean =>
  dtype === "u32" && labelUnit(shape) === "token";

/** Whether a target holds a class for each pixel or token: an example has several. */
export const isDense = ({ dtype, shape }: TensorType): boolean =>
  dtype === "u32" && labelUnit(shape) !== "image";

/**
 * Whether a target holds boxes: [N, boxes, 5] numbers with classes, which other numbers do
 * not have.
 */
export const isBoxes = ({ type, classes }: Pick<NetworkPort, "type" | "classes">): boolean =>
  type.dtype === "f32" && classes !== undefined;

/** The label of pixels or tokens that count in no score: as a loss of them says. */
export function ignoredLabel(network: ResolvedNetwork, index: number): number | undefined {
  const isOwn = (value: NetworkValue) => value.from === "target" && value.index === index;
  const calls = [
    ...scoresOf(network).map(({ target, values }) => ({ reads: target ? [target] : [], values })),
    ...network.layers.map(({ inputs, values }) => ({ reads: inputs, values })),
  ];
  const labels = calls.flatMap(({ reads, values }) =>
    reads.some(isOwn) && typeof values.ignore === "number" ? [values.ignore] : [],
  );
  return labels[0];
}

/** Indices of the targets that scores read, in the order of the targets. */
export function comparedTargets(network: ResolvedNetwork): readonly number[] {
  const values = [
    ...scoresOf(network).flatMap(({ target }) => target ?? []),
    ...network.layers.flatMap(({ inputs }) => inputs),
  ];
  const read = new Set(values.flatMap(({ from, index }) => (from === "target" ? [index] : [])));
  return [...read].toSorted((a, b) => a - b);
}

const scoresOf = ({ losses, metrics }: Pick<ResolvedNetwork, "losses" | "metrics">) => [
  ...losses.map(({ score }) => score),
  ...metrics,
];

/** The inputs that a network's outputs depend on. */
export function predictedInputs({
  inputs,
  layers,
  outputs,
}: Pick<ResolvedNetwork, "inputs" | "layers" | "outputs">): readonly NetworkPort[] {
  const found = new Set<NetworkPort>();
  const seen = new Set<number>();
  const visit = ({ from, index }: NetworkValue): void => {
    if (from === "input") found.add(inputs[index]!);
    if (from !== "layer" || seen.has(index)) return;
    seen.add(index);
    layers[index]!.inputs.forEach(visit);
  };
  outputs.forEach(({ value }) => visit(value));
  return inputs.filter((input) => found.has(input));
}

/** Whether the network predicts one output that depends on the first picture of tuples alone. */
export function embedsFirst(
  network: Pick<ResolvedNetwork, "inputs" | "layers" | "outputs">,
): boolean {
  const { inputs, outputs } = network;
  const names = inputs.map(({ name }) => name).sort();
  const first = Object.values(TUPLE_INPUTS).find(
    (each) => String([...each].sort()) === String(names),
  )?.[0];
  const [read, ...others] = predictedInputs(network);
  return outputs.length === 1 && others.length === 0 && first !== undefined && read?.name === first;
}

/** Whether a score is a formula of the spec. */
export const isFormula = ({ definition }: Pick<ResolvedScore, "definition">): boolean =>
  definition.name === "mean";

/** Names of the metrics that are shares of something, such as an accuracy. */
export function fractionsOf(network: ResolvedNetwork): readonly string[] {
  const { metrics, targets } = network;
  const declared = metrics.filter(({ definition }) => definition.isFraction);
  // What an evaluation of boxes measures in any case.
  const ofBoxes = targets.some(isBoxes) ? ["map50", "map"] : [];
  const ofTuples = embedsFirst(network) ? [RECALL_METRIC] : [];
  return [...declared.map(({ name }) => name), ...ofBoxes, ...ofTuples];
}
