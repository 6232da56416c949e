import { type AdamSettings, isLayerwise, optimizerWords } from "../../program/optimizers.js";
import type { OptimizerSettings } from "../../program/program.js";
import { type APPLIED_SCALE, inAppliedScale } from "../../program/loss-scale.js";
import { stateCount, type Node, type UpdateAttributes } from "../ir/graph.js";
import { requireShape } from "./checks.js";
import type { OpDefinition, ReferenceContext, Tensor } from "./op.js";

/** The optimizer's step. Changes w and what the optimizer keeps of it in place. */
export const update: OpDefinition<"update"> = {
  outputs([w, dw, ...rest], { optimizer, clipsNorm, skips }) {
    requireShape(dw!, w!.shape);
    const count = stateCount({ optimizer });
    for (const state of rest.slice(0, count)) requireShape(state, w!.shape);
    if (clipsNorm) requireShape(rest[count]!, [1]);
    if (skips) requireShape(rest[count]!, [4]);
    return [];
  },

  reference([w, dw, ...rest], attributes, context) {
    const states = rest.slice(0, stateCount(attributes));
    const { scale, corrections } = gradientScale(attributes, rest.at(-1), context);
    if (scale === 0) return [];
    const scaled = { ...dw!, data: Float64Array.from(dw!.data, (value) => scale * value) };
    descend({ w: w!, dw: scaled, states, corrections }, attributes, context);
    return [];
  },
};

/** What depends on the number of the step: Adam's bias corrections among others. */
type Corrections = Pick<ReturnType<typeof optimizerWords>, "correction1" | "correction2"> & {
  /** NAdam's and RAdam's, which the device counts. */
  readonly adjustment?: number;
};

export interface GradientScale {
  /** 0 where the step is skipped. */
  readonly scale: number;
  readonly corrections?: Corrections;
}

/**
 * What an update by itself multiplies its gradient by, of its last input: the sum of all squares,
 * or what the loss scale made of it.
 */
export function gradientScale(
  { clipsNorm, skips, gradientFactor = 1 }: Node<"update">["attributes"],
  last: Tensor | undefined,
  { optimizer }: ReferenceContext,
): GradientScale {
  if (skips) {
    const read = (word: keyof typeof APPLIED_SCALE) => last!.data[inAppliedScale(word)]!;
    const [correction1, correction2] = [read("correction1"), read("correction2")];
    const corrections = { correction1, correction2, adjustment: read("adjustment") };
    return { scale: read("factor"), corrections };
  }
  const norm = gradientFactor * Math.sqrt(clipsNorm ? last!.data[0]! : 0);
  // As torch.nn.utils.clip_grad_norm_ has it.
  return { scale: Math.min(1, (optimizer.clip?.norm ?? Infinity) / (norm + 1e-6)) };
}

/** Weights that follow their gradient. */
interface Descending {
  readonly w: Tensor;
  readonly dw: Tensor;
  readonly states: readonly Tensor[];
  /** Those of the frame's step if absent. */
  readonly corrections?: Corrections;
}

/** The step itself, also for ops that apply the gradient which they make. */
export function descend(
  { w, dw, states, corrections }: Descending,
  { optimizer: rule, learningRateFactor, decayFactor, clipsValue, ...rest }: UpdateAttributes,
  { optimizer, step }: ReferenceContext,
): void {
  const rate = optimizer.learningRate * learningRateFactor;
  const decay = optimizer.weightDecay * decayFactor;
  const { gradientFactor = 1 } = rest;
  // Steps are counted from 1.
  const pace = { rate, decay, corrections: corrections ?? optimizerWords(optimizer, step + 1) };
  const limit = clipsValue ? (optimizer.clip?.value ?? Infinity) : Infinity;
  const gradients = Float64Array.from(dw.data, (value) =>
    Math.max(-limit, Math.min(limit, gradientFactor * value)),
  );
  if (isLayerwise(rule)) return followByLayer({ w, gradients, states }, pace, optimizer);
  gradients.forEach((gradient, index) => {
    const place = { weight: w.data[index]!, gradient, index, states };
    w.data[index] =
      rule === "accumulate" ? place.weight + gradient : follow(place, pace, optimizer);
  });
}

interface Place {
  readonly weight: number;
  readonly gradient: number;
  readonly index: number;
  readonly states: readonly Tensor[];
}

interface Pace {
  readonly rate: number;
  readonly decay: number;
  readonly corrections: Corrections;
}

function follow(place: Place, pace: Pace, optimizer: OptimizerSettings): number {
  switch (optimizer.kind) {
    case "sgd":
      return followMomentum(place, pace, optimizer);
    case "rmsprop":
      return followRmsprop(place, pace, optimizer);
    case "adagrad":
      return followAdagrad(place, pace, optimizer);
    case "adadelta":
      return followAdadelta(place, pace, optimizer);
    case "lion":
      return followLion(place, pace, optimizer);
    case "nadam":
      return followNadam(place, pace, optimizer);
    case "radam":
      return followRadam(place, pace, optimizer);
    case "lamb":
    case "lars":
      throw new Error(`${optimizer.kind} takes the norms of whole parameters`);
    default:
      return followAdam(place, pace, optimizer);
  }
}

type Of<Kind extends OptimizerSettings["kind"]> = Extract<OptimizerSettings, { kind: Kind }>;

/**
 * Sutskever et al., "On the importance of initialization and momentum in deep learning", ICML 2013.
 */
function followMomentum(
  { weight, gradient, index, states: [velocity] }: Place,
  { rate, decay }: Pace,
  { momentum, nesterov, convention }: Of<"sgd">,
): number {
  // Caffe, and the paper of 2012, keep the learning rate inside the velocity; PyTorch applies it
  // outside.
  const [inside, outside] = convention === "caffe" ? [rate, 1] : [1, rate];
  const g = inside * (gradient + decay * weight);
  const next = momentum * velocity!.data[index]! + g;
  velocity!.data[index] = next;
  return weight - outside * (nesterov ? g + momentum * next : next);
}

/**
 * Tieleman and Hinton, "Lecture 6.5: rmsprop", 2012, with PyTorch's epsilon outside of the root.
 */
function followRmsprop(
  { weight, gradient, index, states: [squares, velocity] }: Place,
  { rate, decay }: Pace,
  { alpha, momentum, epsilon }: Of<"rmsprop">,
): number {
  const g = gradient + decay * weight;
  const square = alpha * squares!.data[index]! + (1 - alpha) * g * g;
  const next = momentum * velocity!.data[index]! + g / (Math.sqrt(square) + epsilon);
  squares!.data[index] = square;
  velocity!.data[index] = next;
  return weight - rate * next;
}

/** Duchi et al., "Adaptive subgradient methods", JMLR 12, 2011. */
function followAdagrad(
  { weight, gradient, index, states: [sums] }: Place,
  { rate, decay }: Pace,
  { epsilon }: Of<"adagrad">,
): number {
  const g = gradient + decay * weight;
  const sum = sums!.data[index]! + g * g;
  sums!.data[index] = sum;
  return weight - (rate * g) / (Math.sqrt(sum) + epsilon);
}

/** Zeiler, arXiv:1212.5701. */
function followAdadelta(
  { weight, gradient, index, states: [squares, deltas] }: Place,
  { rate, decay }: Pace,
  { rho, epsilon }: Of<"adadelta">,
): number {
  const g = gradient + decay * weight;
  const square = rho * squares!.data[index]! + (1 - rho) * g * g;
  const before = deltas!.data[index]!;
  const delta = (Math.sqrt(before + epsilon) / Math.sqrt(square + epsilon)) * g;
  squares!.data[index] = square;
  deltas!.data[index] = rho * before + (1 - rho) * delta * delta;
  return weight - rate * delta;
}

/** Chen et al., arXiv:2302.06675. */
function followLion(
  { weight, gradient, index, states: [means] }: Place,
  { rate, decay }: Pace,
  { beta1, beta2 }: Of<"lion">,
): number {
  const mean = means!.data[index]!;
  const direction = Math.sign(beta1 * mean + (1 - beta1) * gradient);
  means!.data[index] = beta2 * mean + (1 - beta2) * gradient;
  return (1 - rate * decay) * weight - rate * direction;
}

/** Moves the averages of the gradient and its square, of which Adam's relatives make a step. */
function moveAverages(
  { index, states: [means, squares] }: Pick<Place, "index" | "states">,
  g: number,
  { beta1, beta2 }: { readonly beta1: number; readonly beta2: number },
): { readonly mean: number; readonly square: number } {
  const mean = beta1 * means!.data[index]! + (1 - beta1) * g;
  const square = beta2 * squares!.data[index]! + (1 - beta2) * g * g;
  means!.data[index] = mean;
  squares!.data[index] = square;
  return { mean, square };
}

/** Kingma and Ba, arXiv:1412.6980; with `adamw`, Loshchilov and Hutter, arXiv:1711.05101. */
function followAdam(place: Place, pace: Pace, optimizer: AdamSettings): number {
  const { weight, gradient } = place;
  const { rate, decay } = pace;
  const isDecoupled = optimizer.kind === "adamw";
  const g = isDecoupled ? gradient : gradient + decay * weight;
  const kept = isDecoupled ? (1 - rate * decay) * weight : weight;
  return kept - rate * adamDirection(place, g, pace, optimizer);
}

function adamDirection(
  place: Pick<Place, "index" | "states">,
  g: number,
  { corrections: { correction1, correction2 } }: Pace,
  optimizer: AdamSettings,
): number {
  const { mean, square } = moveAverages(place, g, optimizer);
  return mean / correction1 / (Math.sqrt(square / correction2) + optimizer.epsilon);
}

/** Dozat, "Incorporating Nesterov momentum into Adam", ICLR 2016 workshop, as PyTorch 2 has it. */
function followNadam(
  place: Place,
  { rate, decay, corrections: { correction1, correction2, adjustment = 0 } }: Pace,
  optimizer: Of<"nadam">,
): number {
  const g = place.gradient + decay * place.weight;
  const { mean, square } = moveAverages(place, g, optimizer);
  const deviation = Math.sqrt(square / correction2) + optimizer.epsilon;
  return place.weight - (rate * (adjustment * g + mean / correction1)) / deviation;
}

/** Liu et al., arXiv:1908.03265. */
function followRadam(
  place: Place,
  { rate, decay, corrections: { correction1, correction2, adjustment = 0 } }: Pace,
  optimizer: AdamSettings,
): number {
  const g = place.gradient + decay * place.weight;
  const { mean, square } = moveAverages(place, g, optimizer);
  const deviation = (Math.sqrt(square) + optimizer.epsilon) / Math.sqrt(correction2);
  const factor = adjustment > 0 ? adjustment / deviation : 1;
  return place.weight - ((rate * mean) / correction1) * factor;
}

interface Layer {
  readonly w: Tensor;
  readonly gradients: Float64Array;
  readonly states: readonly Tensor[];
}

function normOf(values: Iterable<number>): number {
  let squares = 0;
  for (const value of values) squares += value * value;
  return Math.sqrt(squares);
}

/** LAMB and LARS, as timm has them: a parameter without weight decay is not scaled. */
function followByLayer(layer: Layer, pace: Pace, optimizer: OptimizerSettings): void {
  if (optimizer.kind === "lamb") followLamb(layer, pace, optimizer);
  if (optimizer.kind === "lars") followLars(layer, pace, optimizer);
}

/** You et al., "Large batch optimization for deep learning", arXiv:1904.00962. */
function followLamb({ w, gradients, states }: Layer, pace: Pace, optimizer: AdamSettings): void {
  const { rate, decay } = pace;
  const direction = gradients.map(
    (g, index) => adamDirection({ index, states }, g, pace, optimizer) + decay * w.data[index]!,
  );
  const [weights, step] = [normOf(w.data), normOf(direction)];
  const trust = decay > 0 && weights > 0 && step > 0 ? weights / step : 1;
  direction.forEach((each, index) => (w.data[index]! -= rate * trust * each));
}

/** You et al., "Large batch training of convolutional networks", arXiv:1708.03888. */
function followLars({ w, gradients, states }: Layer, pace: Pace, optimizer: Of<"lars">): void {
  const { rate, decay } = pace;
  const { momentum, nesterov, trustCoefficient, epsilon } = optimizer;
  const [velocity] = states;
  const [weights, slope] = [normOf(w.data), normOf(gradients)];
  const isScaled = decay > 0 && weights > 0 && slope > 0;
  const trust = isScaled ? (trustCoefficient * weights) / (slope + decay * weights + epsilon) : 1;
  gradients.forEach((gradient, index) => {
    const g = trust * (gradient + decay * w.data[index]!);
    const next = momentum * velocity!.data[index]! + g;
    velocity!.data[index] = next;
    w.data[index]! -= rate * (nesterov ? g + momentum * next : next);
  });
}
