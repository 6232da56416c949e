import { elementCount, formatShape, hasBatch } from "../ir/shape.js";
import type { Value } from "../ir/graph.js";
import { ensure } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { tensorSize, zeros } from "./tensors.js";

/** Throws unless a value holds tokens, integers of one or several places of each example. */
export function requireTokens({ name, type, shape }: Value): void {
  const isTokens = type === "u32" && hasBatch(shape) && shape.length <= 2;
  ensure(isTokens, () => `${name} of ${type}${formatShape(shape)} holds no tokens`);
}

/** The row of a table for each token. */
export const embedding: OpDefinition<"embedding"> = {
  keepsOrder: true,

  outputs([tokens, table]) {
    requireTokens(tokens!);
    const { shape, name } = table!;
    ensure(shape.length === 2 && !hasBatch(shape), () => `${name} is not a table [V, C]`);
    return [{ shape: [...tokens!.shape, shape[1]!], type: "f32" }];
  },

  gradient(builder, { inputs, attributes, origin }, [dy], [, isWanted]) {
    if (!isWanted) return [undefined, undefined];
    const [tokens, table] = inputs as [Value, Value];
    const own = { ...attributes, shape: table.shape };
    return [undefined, builder.add("embeddingGradient", [tokens, dy!], own, origin)];
  },

  reference([tokens, table]) {
    const [, width] = table!.shape as readonly [number, number];
    const y = zeros([...tokens!.shape, width]);
    tokens!.data.forEach((token, index) => {
      y.data.set(table!.data.subarray(token * width, (token + 1) * width), index * width);
    });
    return [y];
  },
};

/** For each row of the table, the sum over the tokens that it is of. */
export const embeddingGradient: OpDefinition<"embeddingGradient"> = {
  keepsOrder: true,

  outputs([tokens, dy], { shape }) {
    requireTokens(tokens!);
    const expected = elementCount(tokens!.shape) * Number(shape[1]);
    ensure(elementCount(dy!.shape) === expected, () => {
      return `${dy!.name} ${formatShape(dy!.shape)} does not match rows of ${formatShape(shape)}`;
    });
    return [{ shape, type: "f32" }];
  },

  reference([tokens, dy], { shape, padding }) {
    const sizes = shape.map(Number) as [number, number];
    const [, width] = sizes;
    const result = zeros(sizes);
    for (let index = 0; index < tensorSize(tokens!.shape); index++) {
      const token = tokens!.data[index]!;
      if (token === padding) continue;
      for (let channel = 0; channel < width; channel++)
        result.data[token * width + channel]! += dy!.data[index * width + channel]!;
    }
    return [result];
  },
};
