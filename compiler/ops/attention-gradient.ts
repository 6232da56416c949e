import { withChannels } from "../ir/shape.js";
import { AttentionSizes, attendedChannels, gainsOf, requireGains } from "./attention.js";
import { requireShape } from "./checks.js";
import type { OpDefinition, Tensor } from "./op.js";
import { zeros } from "./tensors.js";

/**
 * With p = exp(scores - logarithm) and d the product of y and dy of a row: ds = p (dy v - d), which
 * is also what a gain adds up, and from it dq = ds k, dk = ds q, both times the scale; dv = p dy.
 * Where dropout keeps a share, it multiplies dy v and dv by a factor, and where it does not, by 0.
 */
export const attentionGradient: OpDefinition<"attentionGradient"> = {
  keepsOrder: true,

  outputs([x, y, logarithms, dy, gains], attributes) {
    const channels = attendedChannels(x!.shape, attributes);
    for (const value of [y!, dy!]) requireShape(value, withChannels(x!.shape, channels));
    requireShape(logarithms!, withChannels(x!.shape, attributes.heads));
    requireGains(x!, gains, attributes);
    return [x!, logarithms!, ...(gains ? [gains] : [])].map(({ shape }) => {
      return { shape, type: "f32" };
    });
  },

  reference([x, y, logarithms, dy, gains], attributes, context) {
    const sizes = new AttentionSizes(x!.shape, attributes);
    const { size, step } = sizes;
    const { scale } = attributes;
    const [dx, products] = [zeros(x!.shape), zeros(logarithms!.shape)];
    const slopes: Tensor | undefined = gains && zeros(gains.shape);
    for (let token = 0; token < sizes.tokens; token++) {
      const seen = sizes.seenBy(token);
      sizes.forEachHead((image, head) => {
        const [at, row] = [sizes.resultAt(image, token, head), sizes.rowAt(image, token, head)];
        const query = sizes.at(image, token, head, 0);
        const product = sizes.dot(y!, at, dy!, at);
        products.data[row] = product;
        const scores = sizes.scores({ x: x!, gains }, image, [token, head], seen);
        seen.forEach(({ token: other, gain }, index) => {
          const share = Math.exp(scores[index]! - logarithms!.data[row]!);
          const [key, value] = [1, 2].map((part) => sizes.at(image, other, head, part)) as [
            number,
            number,
          ];
          const keep = sizes.keep(context, [image, head], [token, other]);
          const change = share * (keep * sizes.dot(dy!, at, x!, value) - product);
          if (slopes) slopes.data[image * gainsOf(attributes) + gain + head]! += change;
          for (let place = 0; place < size * step; place += step) {
            dx.data[query + place]! += scale * change * x!.data[key + place]!;
            dx.data[key + place]! += scale * change * x!.data[query + place]!;
            dx.data[value + place]! += keep * share * dy!.data[at + place]!;
          }
        });
      });
    }
    return [dx, products, ...(slopes ? [slopes] : [])];
  },
};
