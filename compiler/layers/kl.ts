import { float, valueName } from "../calls/argument-types.js";
import { required, withDefault } from "../calls/signature.js";
import type { Builder } from "../ir/builder.js";
import { constant, multiply, operand, subtract, unary } from "../ir/expression.js";
import type { Value } from "../ir/graph.js";
import type { Origin } from "../ir/origin.js";
import { imageShape } from "../ir/shape.js";
import { spreadValue } from "./joins.js";
import { define } from "./score.js";

/** Logarithms of the probabilities of softened logits. */
function logProbabilities(
  builder: Builder,
  logits: Value,
  temperature: number,
  origin: Origin,
): Value {
  const soften = multiply(constant(1 / temperature), operand(0));
  const softened =
    temperature === 1 ? logits : builder.add("pointwise", [logits], { expression: soften }, origin);
  const rule = { by: "logsumexp", axes: ["channels"] } as const;
  const total = builder.add("reduce", [softened], rule, origin);
  const totals = spreadValue(builder, total, logits.shape, origin);
  const expression = subtract(operand(0), operand(1));
  return builder.add("pointwise", [softened, totals], { expression }, origin);
}

/**
 * How far the distribution of a network's logits is from that of others, which are a constant to
 * it: PyTorch's `kl_div` of the logarithms, summed over the classes, times the temperature's square
 * (Hinton, Vinyals and Dean, arXiv:1503.02531), which keeps the size of the gradient.
 */
export const kl = define({
  name: "kl",
  example: "kl(logits, big.logits, temperature=4)",
  aliases: [
    ...["KLDivLoss", "kl_div", "kl_divergence", "distill", "distillation"],
    {
      name: "KLDivergence",
      differs: "Keras takes probabilities, and the target first; `kl` takes logits, target last",
    },
  ],
  summary:
    "Kullback-Leibler divergence from the distribution of other logits, which are not trained",
  against: "logits",
  applies: "softmax",
  positional: ["logits", "teacher"],
  arguments: {
    logits: required(valueName(), "the network's output, one number per class"),
    teacher: required(valueName(), "other logits of the same shape; no gradient goes to them"),
    temperature: withDefault(
      float({ above: 0 }),
      1,
      "divides both logits; the loss is times its square",
    ),
  },
  lower([logits, teacher], { temperature }, builder, origin) {
    const inputs = [logits, teacher].map((each) =>
      logProbabilities(builder, each, temperature, origin),
    );
    // A mean over the elements, where the sum over classes is wanted.
    const size = constant(imageShape(logits.shape).channels * temperature ** 2);
    const share = multiply(size, unary("exp", operand(1)));
    const expression = multiply(share, subtract(operand(1), operand(0)));
    const slope = unary("negate", share);
    return builder.add("elementLoss", inputs, { expression, slope }, origin);
  },
});
