import { BATCH, formatShape } from "../ir/shape.js";
import { ensure } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { zeros } from "./tensors.js";

/** The sum of each example's elements. */
export const exampleSum: OpDefinition<"exampleSum"> = {
  outputs([x]) {
    ensure(x!.shape.length === 2, () => `expected [N, K], got ${formatShape(x!.shape)}`);
    return [{ shape: [BATCH], type: "f32" }];
  },

  reference([x]) {
    const [images, size] = x!.shape as readonly [number, number];
    const sums = zeros([images]);
    x!.data.forEach((value, index) => (sums.data[Math.floor(index / size)]! += value));
    return [sums];
  },
};
