import { requireShape } from "./checks.js";
import type { OpDefinition } from "./op.js";

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
    const { momentum, nesterov, convention } = optimizer;
    const rate = optimizer.learningRate * learningRateFactor;
    const decay = optimizer.weightDecay * decayFactor;
    // Caffe, and the paper of 2012, keep the learning rate inside the velocity; PyTorch applies it outside.
    const [inside, outside] = convention === "caffe" ? [rate, 1] : [1, rate];
    for (let index = 0; index < w!.data.length; index++) {
      const weight = w!.data[index]!;
      const gradient = inside * (dw!.data[index]! + decay * weight);
      const next = momentum * velocity!.data[index]! + gradient;
      const direction = nesterov ? gradient + momentum * next : next;
      velocity!.data[index] = next;
      w!.data[index] = weight - outside * direction;
    }
    return [];
  },
};
