import { withChannels } from "../ir/shape.js";
import { AttentionSizes, attendedChannels } from "./attention.js";
import { requireShape } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { zeros } from "./tensors.js";

/**
 * With p = exp(scores - logarithm) and d the product of y and dy of a row: ds = p (dy v - d), and
 * from it dq = ds k, dk = ds q, both times the scale; dv = p dy.
 */
export const attentionGradient: OpDefinition<"attentionGradient"> = {
  keepsOrder: true,

  outputs([x, y, logarithms, dy], attributes) {
    const channels = attendedChannels(x!.shape, attributes);
    for (const value of [y!, dy!]) requireShape(value, withChannels(x!.shape, channels));
    requireShape(logarithms!, withChannels(x!.shape, attributes.heads));
    return [
      { shape: x!.shape, type: "f32" },
      { shape: logarithms!.shape, type: "f32" },
    ];
  },

  reference([x, y, logarithms, dy], attributes) {
    const sizes = new AttentionSizes(x!.shape, attributes);
    const { tokens, size, scale } = sizes;
    const dx = zeros(x!.shape);
    const products = zeros(logarithms!.shape);
    sizes.forEachHead((image, head) => {
      for (let token = 0; token < tokens; token++) {
        const [at, row] = [sizes.resultAt(image, token, head), sizes.rowAt(image, token, head)];
        const query = sizes.at(image, token, head, 0);
        const product = sizes.dot(y!, at, dy!, at);
        products.data[row] = product;
        sizes.scores(x!, image, token, head).forEach((score, other) => {
          const share = Math.exp(score - logarithms!.data[row]!);
          const [key, value] = [1, 2].map((part) => sizes.at(image, other, head, part)) as [
            number,
            number,
          ];
          const slope = scale * share * (sizes.dot(dy!, at, x!, value) - product);
          for (let index = 0; index < size; index++) {
            dx.data[query + index]! += slope * x!.data[key + index]!;
            dx.data[key + index]! += slope * x!.data[query + index]!;
            dx.data[value + index]! += share * dy!.data[at + index]!;
          }
        });
      }
    });
    return [dx, products];
  },
};
