import { requireShape } from "./checks.js";
import type { UpdateAttributes } from "../ir/graph.js";
import type { OpDefinition, ReferenceContext, Tensor } from "./op.js";

/**
 * Stochastic gradient descent with momentum (Sutskever et al., "On the importance of initialization and momentum in deep
 * learning", ICML 2013). Changes w and velocity in place.
 */
export const update: OpDefinition<"update"> = {
  outputs([w, dw, velocity]) {
    requireShape(dw!, w!.shape);
    requireShape(velocity!, w!.shape);
    return [];
  },

  reference([w, dw, velocity], attributes, context) {
    descend({ w: w!, dw: dw!, velocity: velocity! }, attributes, context);
    return [];
  },
};

/** The step itself, also for ops that apply the gradient which they make. */
export function descend(
  { w, dw, velocity }: Readonly<Record<"w" | "dw" | "velocity", Tensor>>,
  { learningRateFactor, decayFactor }: UpdateAttributes,
  { optimizer }: ReferenceContext,
): void {
  const { momentum, nesterov, convention } = optimizer;
  const rate = optimizer.learningRate * learningRateFactor;
  const decay = optimizer.weightDecay * decayFactor;
  // Caffe, and the paper of 2012, keep the learning rate inside the velocity; PyTorch applies it outside.
  const [inside, outside] = convention === "caffe" ? [rate, 1] : [1, rate];
  for (let index = 0; index < w.data.length; index++) {
    const weight = w.data[index]!;
    const gradient = inside * (dw.data[index]! + decay * weight);
    const next = momentum * velocity.data[index]! + gradient;
    const direction = nesterov ? gradient + momentum * next : next;
    velocity.data[index] = next;
    w.data[index] = weight - outside * direction;
  }
}
