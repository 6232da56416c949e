import type { AttentionAttributes, Value } from "../ir/graph.js";
import { BATCH, formatShape, isSequence, withChannels, type Shape } from "../ir/shape.js";
import { ensure, requireShape } from "./checks.js";
import { logSumOfPowers } from "./cross-entropy.js";
import { keepFactor } from "./fused.js";
import type { OpDefinition, ReferenceContext, Tensor } from "./op.js";
import { softmaxOf } from "./softmax.js";
import { zeros } from "./tensors.js";

/** The channels C of queries, keys and values [N, T, 3 * C] that divide into heads. */
export function attendedChannels(shape: Shape, { heads, window }: AttentionAttributes): number {
  const channels = Number(isSequence(shape) ? shape[2] : shape[1]) / 3;
  const hasRank = window ? shape.length === 4 : isSequence(shape);
  ensure(hasRank && Number.isInteger(channels) && channels % heads === 0, () => {
    return `${formatShape(shape)} is not 3 * C channels, C a multiple of ${heads}`;
  });
  return channels;
}

/** Numbers of how far queries can be from keys, for each head. */
export function gainsOf({ heads, window }: AttentionAttributes): number {
  if (!window) return 0;
  const [rows, columns] = window.size;
  return (2 * rows - 1) * (2 * columns - 1) * heads;
}

/** Throws unless gains are given where there are windows, and only there. */
export function requireGains(
  x: Value,
  gains: Value | undefined,
  attributes: AttentionAttributes,
): void {
  const { window } = attributes;
  ensure((gains !== undefined) === (window !== undefined), () => "windows have gains of scores");
  if (!window || !gains) return;
  requireShape(gains, [BATCH, gainsOf(attributes)]);
  const [, , height, width] = x.shape.map(Number);
  const fills = height! % window.size[0] === 0 && width! % window.size[1] === 0;
  ensure(fills, () => `windows of ${window.size.join("x")} do not fill ${formatShape(x.shape)}`);
}

/** A token that another one attends to. */
interface Seen {
  readonly token: number;
  /** Which of the gains its score has, those of the first head. */
  readonly gain: number;
}

/** The sizes of an attention, and where a head's numbers of a token are. */
export class AttentionSizes {
  readonly images: number;
  readonly tokens: number;
  readonly channels: number;
  readonly size: number;
  /** From one channel of a token to the next. */
  readonly step: number;
  private readonly rows: number;
  private readonly columns: number;

  constructor(
    [images, ...sizes]: readonly number[],
    readonly attributes: AttentionAttributes,
  ) {
    const [width, rows, columns] = attributes.window ? sizes : [sizes[1], 1, sizes[0]];
    this.images = images!;
    this.rows = rows!;
    this.columns = columns!;
    this.tokens = this.rows * this.columns;
    this.step = attributes.window ? this.tokens : 1;
    this.channels = width! / 3;
    this.size = this.channels / attributes.heads;
  }

  /** Visits each head of each image. */
  forEachHead(visit: (image: number, head: number) => void): void {
    for (let image = 0; image < this.images; image++)
      for (let head = 0; head < this.attributes.heads; head++) visit(image, head);
  }

  /** Where the queries (0), keys (1) or values (2) of a token begin. */
  at(image: number, token: number, head: number, part: number): number {
    const first = part * this.channels + head * this.size;
    return this.placeOf(image, token, first, 3 * this.channels);
  }

  /** Where a token's results begin. */
  resultAt(image: number, token: number, head: number): number {
    return this.placeOf(image, token, head * this.size, this.channels);
  }

  /** Where the one number of a token and a head is. */
  rowAt(image: number, token: number, head: number): number {
    return this.placeOf(image, token, head, this.attributes.heads);
  }

  private placeOf(image: number, token: number, channel: number, channels: number): number {
    return this.attributes.window
      ? (image * channels + channel) * this.tokens + token
      : (image * this.tokens + token) * channels + channel;
  }

  /** The tokens that a token attends to. */
  seenBy(token: number): readonly Seen[] {
    const { causal, window } = this.attributes;
    const all = Array.from({ length: this.tokens }, (_, other) => ({ token: other, gain: 0 }));
    if (!window) return causal ? all.slice(0, token + 1) : all;
    const [rows, columns] = this.axesOf(token);
    return all.flatMap(({ token: other }): readonly Seen[] => {
      const [otherRows, otherColumns] = this.axesOf(other);
      if (rows.part !== otherRows.part || columns.part !== otherColumns.part) return [];
      const [height, width] = window.size;
      const down = rows.place - otherRows.place + height - 1;
      const across = columns.place - otherColumns.place + width - 1;
      const gain = (down * (2 * width - 1) + across) * this.attributes.heads;
      return [{ token: other, gain }];
    });
  }

  /** Along each axis: a token's place when windows begin at 0, and what it shares with others. */
  private axesOf(token: number) {
    const { size, shift } = this.attributes.window!;
    const places = [Math.floor(token / this.columns), token % this.columns];
    return places.map((own, axis) => {
      const length = axis === 0 ? this.rows : this.columns;
      const place = (own - shift[axis]! + length) % length;
      const isAround = place >= length - shift[axis]!;
      return { place, part: `${Math.floor(place / size[axis]!)} ${isAround}` };
    }) as [{ place: number; part: string }, { place: number; part: string }];
  }

  /**
   * What dropout makes of the share that a key has of a query. The counter is the place of the pair
   * among all of the step, and wraps around as the kernels' does.
   */
  keep(
    context: ReferenceContext,
    [image, head]: readonly [number, number],
    [query, key]: readonly [number, number],
  ): number {
    const { dropout, heads } = this.attributes;
    if (!dropout) return 1;
    const row = (image * heads + head) * this.tokens + query;
    return keepFactor(dropout, (row * this.tokens + key) % 2 ** 32, context);
  }

  dot(a: Tensor, at: number, b: Tensor, bt: number): number {
    let sum = 0;
    for (let index = 0; index < this.size; index++)
      sum += a.data[at + index * this.step]! * b.data[bt + index * this.step]!;
    return sum;
  }

  /** The scores of a query with the keys that it attends to. */
  scores(
    { x, gains }: Scored,
    image: number,
    [token, head]: readonly [number, number],
    seen: readonly Seen[],
  ): readonly number[] {
    const query = this.at(image, token, head, 0);
    const first = image * gainsOf(this.attributes) + head;
    return seen.map(({ token: key, gain }) => {
      const score = this.attributes.scale * this.dot(x, query, x, this.at(image, key, head, 1));
      return gains ? score + gains.data[first + gain]! : score;
    });
  }
}

/** What scores are made of. */
export interface Scored {
  readonly x: Tensor;
  readonly gains?: Tensor | undefined;
}

/**
 * Scaled dot-product attention (Vaswani et al., "Attention is all you need", 2017) of several
 * heads. What it leaves of each row of scores is enough to compute the row again (Dao et al.,
 * "FlashAttention", 2022). Windows are those of Liu et al., "Swin Transformer", 2021.
 */
export const attention: OpDefinition<"attention"> = {
  keepsOrder: true,

  outputs([x, gains], attributes) {
    const channels = attendedChannels(x!.shape, attributes);
    requireGains(x!, gains, attributes);
    return [
      { shape: withChannels(x!.shape, channels), type: "f32" },
      { shape: withChannels(x!.shape, attributes.heads), type: "f32" },
    ];
  },

  gradient(builder, { inputs, outputs, attributes, origin }, [dy]) {
    const [x, ...gains] = inputs;
    const read = [x!, ...outputs, dy!, ...gains];
    const [dx, , ...slopes] = builder.addAll("attentionGradient", read, attributes, origin);
    return [dx, ...slopes];
  },

  reference([x, gains], attributes, context, [result, row]) {
    const sizes = new AttentionSizes(x!.shape, attributes);
    const { images, tokens, size, step } = sizes;
    const [y, logarithms] = [result!, row!].map(({ shape }) =>
      zeros([images, ...shape.slice(1).map(Number)]),
    ) as [Tensor, Tensor];
    for (let token = 0; token < tokens; token++) {
      const seen = sizes.seenBy(token);
      sizes.forEachHead((image, head) => {
        const scores = sizes.scores({ x: x!, gains }, image, [token, head], seen);
        const at = sizes.resultAt(image, token, head);
        softmaxOf(scores).forEach((share, index) => {
          const { token: key } = seen[index]!;
          const value = sizes.at(image, key, head, 2);
          const kept = share * sizes.keep(context, [image, head], [token, key]);
          for (let place = 0; place < size * step; place += step)
            y.data[at + place]! += kept * x!.data[value + place]!;
        });
        logarithms.data[sizes.rowAt(image, token, head)] = logSumOfPowers(scores);
      });
    }
    return [y, logarithms];
  },
};
