import { BATCH, elementCount, formatShape, isSequence, type Shape } from "../ir/shape.js";
import { boolean } from "../calls/argument-types.js";
import { withDefault } from "../calls/signature.js";
import { defineLayer, type InferenceContext } from "./layer.js";
import { requireSequence } from "./rules.js";

export const matmul = defineLayer({
  name: "matmul",
  aliases: ["bmm", "MatMul", "mm"],
  summary: "the product of each example's matrix with that of another value",
  documentation: `
\`y[n, t, c] = sum x[n, t, k] * other[n, k, c]\` over \`k\`: PyTorch's \`x @ other\`. With
\`transposed=true\` it is \`x @ other.transpose(1, 2)\`, and nothing is moved.

- input \`[N, T, K]\`, the other value \`[N, K, C]\`, or \`[N, C, K]\` if transposed; output
  \`[N, T, C]\`
`,
  positional: [],
  arguments: {
    transposed: withDefault(boolean(), false, "whether the other value is transposed first"),
  },
  others: "one",
  samples: [
    { spec: "matmul(a)", input: [5, 6], others: [[6, 8]], output: [5, 8] },
    { spec: "matmul(a, transposed=true)", input: [5, 6], others: [[3, 6]], output: [5, 3] },
  ],

  infer(input, { transposed }, context) {
    const sequence = requireSequence(input, context);
    const [other] = context.others;
    if (!sequence || !other) return undefined;
    const [inner, columns] = transposed ? [other[2], other[1]] : [other[1], other[2]];
    if (!isSequence(other) || inner !== input[2]) return reportInner(input, other, context);
    return [BATCH, sequence.tokens, Number(columns)];
  },

  lower: (input, { transposed }, { builder, origin, others }) =>
    builder.add("matmul", [input, others[0]!], { transposed }, origin),

  macs: (input, output) => elementCount(output) * Number(input[2]),
});

function reportInner(input: Shape, other: Shape, context: InferenceContext): undefined {
  const isTurned = isSequence(other) && other[2] === input[2];
  return context.report("NET2031", {
    message: `${context.title} cannot multiply ${formatShape(input)} with ${formatShape(other)}`,
    label: isSequence(other)
      ? `expected ${input[2]} rows, got ${other[1]}`
      : "expected [N, rows, columns]",
    axis: "channels",
    notes: isTurned ? ["`transposed=true` multiplies with the transpose of the other value"] : [],
    fixes: isTurned
      ? [context.setArgument("transposed", "transposed=true", "write `transposed=true`")]
      : [],
  });
}
