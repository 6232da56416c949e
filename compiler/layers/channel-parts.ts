/** Parts of a value along one axis, which several layers take. */
import type { Builder } from "../ir/builder.js";
import type { Value } from "../ir/graph.js";
import type { Origin } from "../ir/origin.js";
import {
  axesOf,
  channelAxis,
  isSequence,
  isSignal,
  isWide,
  type Shape,
  type StoredAxis,
  stridesOf,
} from "../ir/shape.js";

/** Axes as layers call them. */
export const AXES = ["channels", "rows", "columns", "tokens", "length"] as const;

export type AxisName = (typeof AXES)[number];

/** The names of a logical shape's axes behind the batch, in order; none of more than 4 axes. */
export const axisNames = (shape: Shape): readonly AxisName[] =>
  isSequence(shape)
    ? ["tokens", "channels"]
    : isSignal(shape)
      ? ["channels", "length"]
      : isWide(shape)
        ? []
        : axesOf(shape);

/** The axis of a logical shape that has this name, the batch being 0; undefined for none. */
export const axisOf = (name: AxisName, shape: Shape): number | undefined =>
  axisNames(shape).includes(name) ? storedAxisOf(name, shape) : undefined;

/** Tokens of a sequence and places of a signal are columns of an image of one row. */
export const storedAxis = (name: AxisName): StoredAxis =>
  name === "tokens" || name === "length" ? "columns" : name;

/** The axis of a shape of the builder, which knows no signals, for a name that the value has. */
export const storedAxisOf = (name: AxisName, shape: Shape): number =>
  axesOf(shape).indexOf(storedAxis(name)) + 1;

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
