import type { OptimizerSettings } from "../../program/program.js";
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

/** Adam's bias corrections: what averages that started at zero are divided by. */
type Corrections = readonly [mean: number, squares: number];

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
    const [scale, mean, squares] = last!.data as unknown as [number, number, number];
    return { scale, corrections: [mean, squares] };
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
  const pace = { rate, decay, corrections: corrections ?? correctionsOf(optimizer, step + 1) };
  const limit = clipsValue ? (optimizer.clip?.value ?? Infinity) : Infinity;
  for (let index = 0; index < w.data.length; index++) {
    const gradient = Math.max(-limit, Math.min(limit, gradientFactor * dw.data[index]!));
    const place = { weight: w.data[index]!, gradient, index, states };
    w.data[index] =
      rule === "accumulate" ? place.weight + gradient : follow(place, pace, optimizer);
  }
}

/** Steps are counted from 1. */
const correctionsOf = (optimizer: OptimizerSettings, time: number): Corrections =>
  optimizer.kind === "adam" || optimizer.kind === "adamw"
    ? [1 - optimizer.beta1 ** time, 1 - optimizer.beta2 ** time]
    : [1, 1];

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

/** Kingma and Ba, arXiv:1412.6980; with `adamw`, Loshchilov and Hutter, arXiv:1711.05101. */
function followAdam(
  { weight, gradient, index, states: [means, squares] }: Place,
  { rate, decay, corrections }: Pace,
  { kind, beta1, beta2, epsilon }: Of<"adam" | "adamw">,
): number {
  const g = kind === "adam" ? gradient + decay * weight : gradient;
  const mean = beta1 * means!.data[index]! + (1 - beta1) * g;
  const square = beta2 * squares!.data[index]! + (1 - beta2) * g * g;
  means!.data[index] = mean;
  squares!.data[index] = square;
  const deviation = Math.sqrt(square / corrections[1]) + epsilon;
  const kept = kind === "adamw" ? (1 - rate * decay) * weight : weight;
  return kept - (rate * mean) / corrections[0] / deviation;
}
