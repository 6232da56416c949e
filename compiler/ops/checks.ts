import type { Value } from "../ir/graph.js";
import { formatShape, sameShape, type Shape } from "../ir/shape.js";

/** What a pass got wrong; users' mistakes are found long before. */
export function ensure(condition: boolean, message: () => string): asserts condition {
  if (!condition) throw new Error(message());
}

export function requireShape(value: Value, shape: Shape): void {
  ensure(sameShape(value.shape, shape), () => {
    const expected = formatShape(shape);
    return `expected ${value.name} to have the shape ${expected}, got ${formatShape(value.shape)}`;
  });
}
