import type { Value } from "../ir/graph.js";
import {
  asImage,
  BATCH,
  broadcastShape,
  elementCount,
  formatShape,
  isSequence,
  isSignal,
  sameShape,
  type Shape,
} from "../ir/shape.js";
import { boolean } from "../calls/argument-types.js";
import { withDefault } from "../calls/signature.js";
import { defineLayer, type InferenceContext, type LayerContext } from "./layer.js";
import { requireSequence, withAxes } from "./rules.js";
import { spreadWide } from "./wide-axes.js";

export const matmul = defineLayer({
  name: "matmul",
  aliases: ["bmm", "MatMul", "mm"],
  summary: "the product of each example's matrix with that of another value",
  documentation: `
\`y[n, t, c] = sum x[n, t, k] * other[n, k, c]\` over \`k\`: PyTorch's \`x @ other\`. With
\`transposed=true\` it is \`x @ other.transpose(-2, -1)\`, and nothing is moved.

- input \`[N, T, K]\`, the other value \`[N, K, C]\`, or \`[N, C, K]\` if transposed; output
  \`[N, T, C]\`
- of more axes, the last two are those of a matrix: \`[N, 8, T, K]\` and \`[N, 8, K, C]\` are 8
  products an example, \`[N, 8, T, C]\`. Along the axes in front of them, sizes agree or one of
  them is 1, whose matrix is multiplied with each of the others
`,
  takesWide: true,
  positional: [],
  arguments: {
    transposed: withDefault(boolean(), false, "whether the other value is transposed first"),
  },
  others: "one",
  samples: [
    { spec: "matmul(a)", input: [5, 6], others: [[6, 8]], output: [5, 8] },
    { spec: "matmul(a, transposed=true)", input: [5, 6], others: [[3, 6]], output: [5, 3] },
    { spec: "matmul(a)", input: [4, 5, 6], others: [[4, 6, 8]], output: [4, 5, 8] },
    {
      spec: "matmul(a, transposed=true)",
      input: [4, 5, 6],
      others: [[1, 3, 6]],
      output: [4, 5, 3],
    },
  ],

  infer(input, { transposed }, context) {
    const [other] = context.others;
    if (!isOfMatrices(input)) {
      requireSequence(input, context);
      return undefined;
    }
    if (!other) return undefined;
    const { inner, columns } = sizesOf(other, transposed);
    const leading = isOfMatrices(other) && broadcastShape([leadingOf(input), leadingOf(other)]);
    if (!leading || inner !== input.at(-1)) return reportProduct(input, other, context);
    return [...leading, input.at(-2)!, columns!];
  },

  lower(input, { transposed }, context) {
    const { builder, origin, shape, others, otherShapes } = context;
    const [other] = others as readonly [Value];
    const [otherShape] = otherShapes as readonly [Shape];
    const multiply = (left: Value, right: Value, matrices?: { readonly matrices: number }) =>
      builder.add("matmul", [left, right], { transposed, ...matrices }, origin);
    if (isSequence(shape)) return multiply(input, other);
    const leading = broadcastShape([leadingOf(shape), leadingOf(otherShape)])!;
    const { columns } = sizesOf(otherShape, transposed);
    const output = asImage([...leading, shape.at(-2)!, columns!]);
    // One matrix for all: their rows are those of one.
    const isOne = elementCount(leadingOf(otherShape)) === 1;
    const product = isOne
      ? multiply(rowsOf(input, shape, context), rowsOf(other, otherShape, context))
      : multiply(
          rowsOf(input, shape, context, leading),
          rowsOf(other, otherShape, context, leading),
          { matrices: elementCount(leading) },
        );
    return builder.add("reshape", [product], { shape: output }, origin);
  },

  macs: (input, output) => elementCount(output) * Number(input.at(-1)),
});

/** Whether the last two axes are those of matrices. */
const isOfMatrices = (shape: Shape): boolean => shape.length > 2 && !isSignal(shape);

/** The axes in front of those of a matrix, the batch among them. */
const leadingOf = (shape: Shape): Shape => shape.slice(0, -2);

/** What a product sums over, and its columns. */
function sizesOf(other: Shape, transposed: boolean) {
  const [columns, inner] = transposed ? other.slice(-2) : other.slice(-2).reverse();
  return { inner, columns };
}

/** Matrices one below the other, repeated where there are more `leading` axes. */
function rowsOf(
  value: Value,
  shape: Shape,
  { builder, origin }: LayerContext,
  leading = leadingOf(shape),
): Value {
  const to = [...leading, ...shape.slice(-2)];
  const all = sameShape(shape, to)
    ? value
    : spreadWide(value, { from: shape, to }, builder, origin);
  const last = Number(shape.at(-1));
  const rows = [BATCH, elementCount(to) / last, last] as const;
  return builder.add("reshape", [all], { shape: rows }, origin);
}

function reportProduct(input: Shape, other: Shape, context: InferenceContext): undefined {
  const isMatrices = isOfMatrices(other);
  const agree = isMatrices && broadcastShape([leadingOf(input), leadingOf(other)]) !== undefined;
  const isTurned = agree && other.at(-1) === input.at(-1);
  const missing = input.length - other.length;
  const sizes = missing > 0 ? withAxes(other, input.length).slice(1).join(", ") : "";
  return context.report("NET2031", {
    message: `${context.title} cannot multiply ${formatShape(input)} with ${formatShape(other)}`,
    label: agree
      ? `expected ${input.at(-1)} rows, got ${other.at(-2)}`
      : isMatrices
        ? "axes in front of the last two must agree, or be 1"
        : `expected [${leadingOf(input).join(", ")}, rows, columns]`,
    axis: isMatrices && missing !== 0 ? "rank" : "channels",
    notes: [
      ...(isTurned ? ["`transposed=true` multiplies with the transpose of the other value"] : []),
      ...(isMatrices && missing > 0
        ? [`\`reshape([${sizes}])\` gives the other value as many axes`]
        : []),
    ],
    fixes: [
      isTurned
        ? context.setArgument("transposed", "transposed=true", "write `transposed=true`")
        : undefined,
      isMatrices && missing > 0
        ? context.addAxes([0, missing], `declare the parameter as \`f32[${sizes}]\``)
        : undefined,
    ],
  });
}
