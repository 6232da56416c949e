/** Sequences as images and back: what several layers share. */
import type { Builder } from "../ir/builder.js";
import type { Pair, Value } from "../ir/graph.js";
import type { Origin } from "../ir/origin.js";
import { BATCH, imageShape, stridesOf } from "../ir/shape.js";

/** An image's pixels, row by row, as tokens. */
export function tokensOfImage(builder: Builder, image: Value, origin: Origin): Value {
  const { channels, height, width } = imageShape(image.shape);
  const pixels = height * width;
  const order = { shape: [BATCH, pixels, channels], start: 0, strides: [1, pixels] } as const;
  return builder.add("rearrange", [image], order, origin);
}

/** Tokens as an image's pixels, row by row. */
export function imageOfTokens(
  builder: Builder,
  tokens: Value,
  [height, width]: Pair,
  origin: Origin,
): Value {
  const { channels } = imageShape(tokens.shape);
  const shape = [BATCH, channels, height, width] as const;
  const order = { shape, start: 0, strides: [1, width * channels, channels] };
  return builder.add("rearrange", [tokens], order, origin);
}

/** The axes in another order; `axes` says for each one which it was, the batch being 0. */
export function permuteAxes(
  builder: Builder,
  value: Value,
  axes: readonly number[],
  origin: Origin,
): Value {
  const strides = stridesOf(value.shape);
  const shape = axes.map((axis) => value.shape[axis]!);
  const order = { shape, start: 0, strides: axes.slice(1).map((axis) => strides[axis - 1]!) };
  return builder.add("rearrange", [value], order, origin);
}
