import type { AttentionAttributes } from "../ir/graph.js";
import { formatShape, isSequence, withChannels, type Shape } from "../ir/shape.js";
import { ensure } from "./checks.js";
import { logSumOfPowers } from "./cross-entropy.js";
import type { OpDefinition, Tensor } from "./op.js";
import { softmaxOf } from "./softmax.js";
import { zeros } from "./tensors.js";

/** The channels C of queries, keys and values [N, T, 3 * C] that divide into heads. */
export function attendedChannels(shape: Shape, { heads }: AttentionAttributes): number {
  const channels = Number(shape[2]) / 3;
  ensure(isSequence(shape) && Number.isInteger(channels) && channels % heads === 0, () => {
    return `${formatShape(shape)} is not 3 * C channels, C a multiple of ${heads}`;
  });
  return channels;
}

/** The sizes of an attention, and where a head's numbers of a token are. */
export class AttentionSizes {
  readonly images: number;
  readonly tokens: number;
  readonly channels: number;
  readonly size: number;
  readonly scale: number;

  constructor(
    [images, tokens, width]: readonly number[],
    readonly attributes: AttentionAttributes,
  ) {
    this.images = images!;
    this.tokens = tokens!;
    this.channels = width! / 3;
    this.size = this.channels / attributes.heads;
    this.scale = 1 / Math.sqrt(this.size);
  }

  /** Visits each head of each image. */
  forEachHead(visit: (image: number, head: number) => void): void {
    for (let image = 0; image < this.images; image++)
      for (let head = 0; head < this.attributes.heads; head++) visit(image, head);
  }

  /** Where the queries (0), keys (1) or values (2) of a token begin. */
  at(image: number, token: number, head: number, part: number): number {
    const row = image * this.tokens + token;
    return (3 * row + part) * this.channels + head * this.size;
  }

  /** Where a token's results begin. */
  resultAt(image: number, token: number, head: number): number {
    return (image * this.tokens + token) * this.channels + head * this.size;
  }

  /** Where the one number of a token and a head is. */
  rowAt(image: number, token: number, head: number): number {
    return (image * this.tokens + token) * this.attributes.heads + head;
  }

  /** Tokens that a token attends to. */
  reach(token: number): number {
    return this.attributes.causal ? token + 1 : this.tokens;
  }

  dot(a: Tensor, at: number, b: Tensor, bt: number): number {
    let sum = 0;
    for (let index = 0; index < this.size; index++)
      sum += a.data[at + index]! * b.data[bt + index]!;
    return sum;
  }

  /** The scores of a query with all keys that it attends to. */
  scores(x: Tensor, image: number, token: number, head: number): readonly number[] {
    const query = this.at(image, token, head, 0);
    return Array.from({ length: this.reach(token) }, (_, key) => {
      return this.scale * this.dot(x, query, x, this.at(image, key, head, 1));
    });
  }
}

/**
 * Scaled dot-product attention (Vaswani et al., "Attention is all you need", 2017) of several
 * heads. What it leaves of each row of scores is enough to compute the row again (Dao et al.,
 * "FlashAttention", 2022).
 */
export const attention: OpDefinition<"attention"> = {
  keepsOrder: true,

  outputs([x], attributes) {
    const channels = attendedChannels(x!.shape, attributes);
    return [
      { shape: withChannels(x!.shape, channels), type: "f32" },
      { shape: withChannels(x!.shape, attributes.heads), type: "f32" },
    ];
  },

  gradient(builder, { inputs, outputs, attributes, origin }, [dy]) {
    const read = [inputs[0]!, ...outputs, dy!];
    return [builder.add("attentionGradient", read, attributes, origin)];
  },

  reference([x], attributes) {
    const sizes = new AttentionSizes(x!.shape, attributes);
    const { images, tokens, channels, size } = sizes;
    const y = zeros([images, tokens, channels]);
    const logarithms = zeros([images, tokens, attributes.heads]);
    sizes.forEachHead((image, head) => {
      for (let token = 0; token < tokens; token++) {
        const scores = sizes.scores(x!, image, token, head);
        const at = sizes.resultAt(image, token, head);
        softmaxOf(scores).forEach((share, key) => {
          const value = sizes.at(image, key, head, 2);
          for (let index = 0; index < size; index++)
            y.data[at + index]! += share * x!.data[value + index]!;
        });
        logarithms.data[sizes.rowAt(image, token, head)] = logSumOfPowers(scores);
      }
    });
    return [y, logarithms];
  },
};
