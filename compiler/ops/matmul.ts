import type { OpAttributes, RearrangeAttributes, Value } from "../ir/graph.js";
import { BATCH, formatShape, isSequence, type Shape } from "../ir/shape.js";
import { ensure } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { resolveShape, zeros } from "./tensors.js";

type Attributes = OpAttributes["matmul"];

/** The shape of a product, whose matrices lie one below the other. */
function productShape(a: Shape, b: Shape, { transposed, matrices = 1 }: Attributes): Shape {
  const [rows, depth] = a.slice(1).map(Number) as [number, number];
  const [height, width] = b.slice(1).map(Number) as [number, number];
  const own = height / matrices;
  const [inner, columns] = transposed ? [width, own] : [own, width];
  const isWhole = Number.isInteger(own) && rows % matrices === 0;
  ensure(isSequence(a) && isSequence(b) && isWhole && inner === depth, () => {
    return `cannot multiply ${formatShape(a)} with ${formatShape(b)}, ${matrices} an example`;
  });
  return [BATCH, rows, columns];
}

/** Each matrix with its axes exchanged. */
function transpose({ shape }: Value, matrices: number): RearrangeAttributes {
  const [, rows, columns] = shape as readonly [string, number, number];
  const own = rows / matrices;
  if (matrices === 1) return { shape: [BATCH, columns, rows], start: 0, strides: [1, columns] };
  const sizes = [matrices, columns, own];
  const turned = [BATCH, matrices * columns, own] as const;
  return { shape: turned, sizes, start: 0, strides: [own * columns, 1, columns] };
}

/** The products of matrices of each example. */
export const matmul: OpDefinition<"matmul"> = {
  keepsOrder: true,

  outputs([a, b], attributes) {
    return [{ shape: productShape(a!.shape, b!.shape, attributes), type: "f32" }];
  },

  /** Of y = a b: da = dy b^T and db = a^T dy. Of y = a b^T: da = dy b and db = dy^T a. */
  gradient(builder, { inputs, attributes, origin }, [dy], wanted) {
    const { transposed, matrices = 1 } = attributes;
    const [a, b] = inputs as readonly [Value, Value];
    const multiply = (left: Value, right: Value, isTransposed = false) =>
      builder.add("matmul", [left, right], { ...attributes, transposed: isTransposed }, origin);
    const turned = (value: Value) =>
      builder.add("rearrange", [value], transpose(value, matrices), origin);
    return [
      wanted[0] ? multiply(dy!, b, !transposed) : undefined,
      wanted[1] ? (transposed ? multiply(turned(dy!), a) : multiply(turned(a), dy!)) : undefined,
    ];
  },

  reference([a, b], { transposed, matrices = 1 }, _, [output]) {
    const images = a!.shape[0]!;
    const y = zeros(resolveShape(output!.shape, images));
    const [, allRows, columns] = y.shape as readonly [number, number, number];
    const rows = allRows / matrices;
    const depth = a!.shape[2]!;
    const [step, next] = transposed ? [1, depth] : [columns, 1];
    y.data.forEach((_, index) => {
      const [column, row] = [index % columns, Math.floor(index / columns)];
      const matrix = Math.floor(row / rows);
      let sum = 0;
      for (let k = 0; k < depth; k++) {
        const place = matrix * depth * columns + k * step + column * next;
        sum += a!.data[row * depth + k]! * b!.data[place]!;
      }
      y.data[index] = sum;
    });
    return [y];
  },
};
