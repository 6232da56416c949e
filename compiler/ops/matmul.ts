import type { OpAttributes, Value } from "../ir/graph.js";
import { BATCH, formatShape, isSequence, type Shape } from "../ir/shape.js";
import { ensure } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { resolveShape, zeros } from "./tensors.js";

type Attributes = OpAttributes["matmul"];

/** The sizes of a product: rows, columns, and what is summed over. */
function sizesOf(a: Shape, b: Shape, { transposed }: Attributes) {
  const [rows, depth] = a.slice(1).map(Number) as [number, number];
  const [first, second] = b.slice(1).map(Number) as [number, number];
  const [inner, columns] = transposed ? [second, first] : [first, second];
  ensure(isSequence(a) && isSequence(b) && inner === depth, () => {
    return `cannot multiply ${formatShape(a)} with ${formatShape(b)}`;
  });
  return { rows, columns, depth };
}

/** The axes behind the batch exchanged. */
const transpose = ({ shape }: Value) => {
  const [, tokens, channels] = shape as readonly [string, number, number];
  return { shape: [BATCH, channels, tokens], start: 0, strides: [1, channels] } as const;
};

/** The products of two matrices of each example. */
export const matmul: OpDefinition<"matmul"> = {
  keepsOrder: true,

  outputs([a, b], attributes) {
    const { rows, columns } = sizesOf(a!.shape, b!.shape, attributes);
    return [{ shape: [BATCH, rows, columns], type: "f32" }];
  },

  /** Of y = a b: da = dy b^T and db = a^T dy. Of y = a b^T: da = dy b and db = dy^T a. */
  gradient(builder, { inputs, attributes: { transposed }, origin }, [dy], wanted) {
    const [a, b] = inputs as readonly [Value, Value];
    const multiply = (left: Value, right: Value, isTransposed = false) =>
      builder.add("matmul", [left, right], { transposed: isTransposed }, origin);
    const turned = (value: Value) => builder.add("rearrange", [value], transpose(value), origin);
    return [
      wanted[0] ? multiply(dy!, b, !transposed) : undefined,
      wanted[1] ? (transposed ? multiply(turned(dy!), a) : multiply(turned(a), dy!)) : undefined,
    ];
  },

  reference([a, b], { transposed }, _, [output]) {
    const images = a!.shape[0]!;
    const y = zeros(resolveShape(output!.shape, images));
    const [, rows, columns] = y.shape as readonly [number, number, number];
    const depth = a!.shape[2]!;
    const [step, next] = transposed ? [1, depth] : [columns, 1];
    y.data.forEach((_, index) => {
      const [column, row] = [index % columns, Math.floor(index / columns)];
      const image = Math.floor(row / rows);
      let sum = 0;
      for (let k = 0; k < depth; k++) {
        const place = image * depth * columns + k * step + column * next;
        sum += a!.data[row * depth + k]! * b!.data[place]!;
      }
      y.data[index] = sum;
    });
    return [y];
  },
};
