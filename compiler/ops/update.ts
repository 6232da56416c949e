import type { OptimizerSettings } from "../../program/program.js";
import { requireShape } from "./checks.js";
import type { OpDefinition } from "./op.js";

/** One weight and its velocity after a step of SGD. `gradient` includes the weight decay. */
function descend(
  { weight, velocity, gradient }: Readonly<Record<"weight" | "velocity" | "gradient", number>>,
  { learningRate: rate, momentum, nesterov, convention }: OptimizerSettings,
): { readonly weight: number; readonly velocity: number } {
  // Caffe, and the paper of 2012, keep the learning rate inside the velocity; PyTorch applies it outside.
  const inside = convention === "caffe" ? rate : 1;
  const outside = convention === "caffe" ? 1 : rate;
  const next = momentum * velocity + inside * gradient;
  const direction = nesterov ? inside * gradient + momentum * next : next;
  return { weight: weight - outside * direction, velocity: next };
}

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

  reference([w, dw, velocity], { learningRateFactor, decayFactor }, { optimizer }) {
    const learningRate = optimizer.learningRate * learningRateFactor;
    const decay = optimizer.weightDecay * decayFactor;
    w!.data.forEach((weight, index) => {
      const gradient = dw!.data[index]! + decay * weight;
      const state = { weight, velocity: velocity!.data[index]!, gradient };
      const next = descend(state, { ...optimizer, learningRate });
      w!.data[index] = next.weight;
      velocity!.data[index] = next.velocity;
    });
    return [];
  },
};
