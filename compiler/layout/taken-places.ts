/** Where in memory the elements of a rearranged value are: a sum over its axes. */
import type { RearrangeAttributes } from "../ir/graph.js";
import { countedBy, takenOf, type Axis } from "../ir/rearrangement.js";
import { imageShape, isSequence, type Shape } from "../ir/shape.js";
import type { ActivationLayout } from "./activation-layout.js";
import { logicalStrides, type PerAxis } from "./strides.js";

/** A part of a place along an axis: `index / divisor % size * pitch`. */
export interface Digit {
  readonly divisor: number;
  readonly size: number;
  readonly pitch: number;
}

export type Digits = Readonly<Record<keyof PerAxis, readonly Digit[]>>;

/**
 * From the place of an element among the rows, columns and channels of a value to that in the
 * memory of what it is taken from: `base`, that of the image, and the digits of each axis, the
 * coarsest first.
 */
export interface TakenPlaces extends Digits {
  readonly base: number;
  readonly image: number;
  /** Whether channel quads are channel quads; all is counted in these then, and else in floats. */
  readonly isOfQuads: boolean;
}

/** Undefined where an order has no such places, as where an axis continues behind another's end. */
export function takenPlaces(
  order: RearrangeAttributes,
  from: Shape,
  layout: ActivationLayout,
): TakenPlaces | undefined {
  const { base: start, image, row, column } = layout.inFloats();
  const inMemory = { start, axes: logicalAxes(from, { channel: 1, row, column }) };
  const memory = takenOf(countedBy(order), inMemory);
  if (!memory) return undefined;
  const own = storedAxes(order.shape, logicalStrides(order.shape));
  const numbers = { start: memory.start, axes: memory.axes.flat() };
  const found = takenOf({ start: 0, axes: own }, numbers);
  if (!found) return undefined;
  const [rows, columns, across] = found.axes.map(digitsOf) as [Digit[], Digit[], Digit[]];
  const digits = { row: rows, column: columns, channel: across };
  const floats = { ...digits, base: found.start, image, isOfQuads: false };
  // Behind the last channel of the whole there are zeros, and behind that of a part its neighbors.
  return inQuads(floats, imageShape(order.shape).channels === layout.channels) ?? floats;
}

/** Rows, columns and channels. */
function storedAxes(shape: Shape, strides: PerAxis): readonly [Axis, Axis, Axis] {
  const { channels, height, width } = imageShape(shape);
  return [
    { size: height, stride: strides.row },
    { size: width, stride: strides.column },
    { size: channels, stride: strides.channel },
  ];
}

/** The same in the value's logical order. */
function logicalAxes(shape: Shape, strides: PerAxis): readonly Axis[] {
  const [row, column, channel] = storedAxes(shape, strides);
  return isSequence(shape) ? [column, channel] : [channel, row, column];
}

function digitsOf(axes: readonly Axis[]): readonly Digit[] {
  return axes.map(({ size, stride }, index) => {
    const finer = axes.slice(index + 1);
    return { size, pitch: stride, divisor: finer.reduce((all, axis) => all * axis.size, 1) };
  });
}

/** The same counted in channel quads; undefined where they are cut. */
function inQuads(floats: TakenPlaces, hasAllChannels: boolean): TakenPlaces | undefined {
  const { base, image, row, column, channel } = floats;
  const pitches = [...row, ...column, ...channel.slice(0, -1)].map(({ pitch }) => pitch);
  const finest = channel.at(-1);
  if (finest?.pitch !== 1 || ![base, image, ...pitches].every(isInFours)) return undefined;
  if (!isInFours(finest.size) && !(hasAllChannels && channel.length === 1)) return undefined;
  const quads = { divisor: 1, size: Math.ceil(finest.size / 4), pitch: 1 };
  const coarser = channel.slice(0, -1).map((digit) => ({ ...digit, divisor: digit.divisor / 4 }));
  const byQuads = (digit: Digit) => ({ ...digit, pitch: digit.pitch / 4 });
  return {
    base: base / 4,
    image: image / 4,
    row: row.map(byQuads),
    column: column.map(byQuads),
    channel: [...coarser.map(byQuads), ...(quads.size > 1 ? [quads] : [])],
    isOfQuads: true,
  };
}

const isInFours = (count: number) => count % 4 === 0;
