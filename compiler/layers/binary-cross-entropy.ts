/** Binary cross-entropy of a logit, operand 0, and a target from 0 to 1, operand 1. */
import {
  add,
  channel,
  constant,
  multiply,
  operand,
  subtract,
  unary,
  type Expression,
} from "../ir/expression.js";
import type { ElementLossAttributes } from "../ir/graph.js";

/** The operand of `weightedCrossEntropy` that has a weight for each channel. */
const WEIGHTS = 2;

const [x, target] = [operand(0), operand(1)];
const magnitude = add(unary("relu", x), unary("relu", unary("negate", x)));

/** -log(sigmoid(x)): log(1 + exp(-|x|)) + max(-x, 0), in which nothing overflows. */
const negativeLog = add(
  unary("softplus", unary("negate", magnitude)),
  unary("relu", unary("negate", x)),
);

/** Of logits; targets of 1 count `positive` times, as PyTorch's `pos_weight` has it. */
export function binaryCrossEntropy(positive: number): ElementLossAttributes {
  if (positive === 1) {
    // max(x, 0) - x t + log(1 + exp(-|x|)).
    return {
      expression: add(
        subtract(unary("relu", x), multiply(x, target)),
        unary("softplus", unary("negate", magnitude)),
      ),
      slope: subtract(unary("sigmoid", x), target),
    };
  }
  const weight = add(constant(1), multiply(constant(positive - 1), target));
  return {
    expression: add(multiply(subtract(constant(1), target), x), multiply(weight, negativeLog)),
    slope: subtract(multiply(weight, unary("sigmoid", x)), multiply(constant(positive), target)),
  };
}

/**
 * The same with a weight for each channel, operand 2. Its derivative is exact everywhere, 0
 * included: it has none of the functions whose slope changes there.
 */
export const weightedCrossEntropy: Expression = add(
  multiply(subtract(constant(1), target), x),
  multiply(
    add(constant(1), multiply(subtract(channel(WEIGHTS), constant(1)), target)),
    unary("softplus", unary("negate", x)),
  ),
);
