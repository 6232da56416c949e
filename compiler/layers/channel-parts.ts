/** Parts of a value along one axis, which several layers take. */
import type { Builder } from "../ir/builder.js";
import type { Value } from "../ir/graph.js";
import type { Origin } from "../ir/origin.js";
import { axesOf, channelAxis, isSequence, stridesOf, type Shape } from "../ir/shape.js";

/** Axes as layers call them. */
export const AXES = ["channels", "rows", "columns", "tokens"] as const;

export type AxisName = (typeof AXES)[number];

/** The names of a logical shape's axes behind the batch, in order. */
export const axisNames = (shape: Shape): readonly AxisName[] =>
  isSequence(shape) ? ["tokens", "channels"] : axesOf(shape);

/** The axis of a logical shape that has this name, the batch being 0; undefined for none. */
export function axisOf(name: AxisName, shape: Shape): number | undefined {
  const found = axisNames(shape).indexOf(name);
  return found < 0 ? undefined : found + 1;
}

/** From where on, how many, and how far apart. */
export interface AxisPart {
  readonly start: number;
  readonly count: number;
  readonly step?: number;
}

/** Some of a value along an axis of its logical shape. */
export function partOf(
  builder: Builder,
  value: Value,
  { axis, start, count, step = 1 }: AxisPart & { readonly axis: number },
  origin: Origin,
): Value {
  const strides = stridesOf(value.shape);
  const own = strides[axis - 1]!;
  const order = {
    shape: value.shape.map((size, index) => (index === axis ? count : size)),
    start: start * own,
    strides: strides.map((stride, index) => (index === axis - 1 ? stride * step : stride)),
  };
  return builder.add("rearrange", [value], order, origin);
}

/** Some channels of a value. */
export const channelsOf = (builder: Builder, value: Value, part: AxisPart, origin: Origin): Value =>
  partOf(builder, value, { axis: channelAxis(value.shape), ...part }, origin);
