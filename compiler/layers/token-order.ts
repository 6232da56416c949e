/** Sequences as images and back: what several layers share. */
import { withoutUndefined } from "../../program/without-undefined.js";
import type { Builder } from "../ir/builder.js";
import type { Pair, Value } from "../ir/graph.js";
import type { Origin } from "../ir/origin.js";
import type { LayerContext } from "./layer.js";
import { asImage, BATCH, imageShape, type Shape, stridesOf } from "../ir/shape.js";

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

/**
 * The axes of a value of this shape in another order; `axes` says for each one which it was, the
 * batch being 0.
 */
export function permuteAxes(
  value: Value,
  shape: Shape,
  axes: readonly number[],
  { builder, origin }: Pick<LayerContext, "builder" | "origin">,
): Value {
  const steps = stridesOf(shape);
  const permuted = axes.map((axis) => shape[axis]!);
  const made = asImage(permuted);
  // Ops know a value of many axes as a flat one: its axes are finer than those of its shape.
  const sizes = made.length < permuted.length ? permuted.slice(1).map(Number) : undefined;
  const strides = axes.slice(1).map((axis) => steps[axis - 1]!);
  const order = { shape: made, start: 0, strides, ...withoutUndefined({ sizes }) };
  return builder.add("rearrange", [value], order, origin);
}
