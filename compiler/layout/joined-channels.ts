/** Channels of a concatenation in another order: which of the joined values each one is of. */
import type { RearrangeAttributes, Value } from "../ir/graph.js";
import { imageShape, isSequence, type Shape } from "../ir/shape.js";
import { ActivationLayout, APART } from "./activation-layout.js";
import { takenPlaces, type Digit } from "./taken-places.js";

/** The channel of the concatenation that a channel of the result is: `first`, and the digits. */
export interface JoinedChannels {
  readonly first: number;
  readonly digits: readonly Digit[];
  /** The first channel of each joined value in the concatenation. */
  readonly starts: readonly number[];
  /** For each lane of a quad, the joined value that all its channels are of, or null. */
  readonly lanes: readonly (number | null)[];
}

type Shaped = Pick<Value, "shape">;

/**
 * Undefined where an order moves more than channels, where it takes none of some value, and where
 * channels stay together in quads, which other kernels read at once.
 */
export function joinedChannels(
  order: RearrangeAttributes,
  joined: readonly Shaped[],
  whole: Shape,
): JoinedChannels | undefined {
  const chosen = chosenChannels(order, whole);
  if (!chosen) return undefined;
  const starts = startsOf(joined);
  const lanes = Array.from({ length: 4 }, () => new Set<number>());
  for (let channel = 0; channel < imageShape(order.shape).channels; channel++) {
    const from = placeOf(channel, chosen);
    lanes[channel % 4]!.add(starts.findLastIndex((start) => start <= from));
  }
  const readsAll = joined.every((_, index) => lanes.some((lane) => lane.has(index)));
  if (!readsAll || lanes.some(({ size }) => size === 0)) return undefined;
  return { ...chosen, starts, lanes: lanes.map(only) };
}

const only = (values: ReadonlySet<number>): number | null =>
  values.size === 1 ? [...values][0]! : null;

const startsOf = (joined: readonly Shaped[]): readonly number[] =>
  joined.map((_, index) =>
    joined.slice(0, index).reduce((sum, { shape }) => sum + imageShape(shape).channels, 0),
  );

type Chosen = Pick<JoinedChannels, "first" | "digits">;

const placeOf = (channel: number, { first, digits }: Chosen): number =>
  digits.reduce(
    (at, { divisor, size, pitch }) => at + (Math.floor(channel / divisor) % size) * pitch,
    first,
  );

/** The channels that an order takes of each pixel; undefined where pixels move. */
function chosenChannels(order: RearrangeAttributes, whole: Shape): Chosen | undefined {
  if (isSequence(order.shape) || isSequence(whole)) return undefined;
  const layout = new ActivationLayout(whole, APART);
  const places = takenPlaces(order, whole, layout);
  if (!places || places.isOfQuads) return undefined;
  const { height, width } = imageShape(order.shape);
  if (height !== layout.height || width !== layout.width) return undefined;
  const { base, row, column } = layout.inFloats();
  const chosen = { first: places.base - base, digits: places.channel };
  if (!isWhole(places.row, height, row) || !isWhole(places.column, width, column)) return undefined;
  const last = chosen.digits.reduce((at, { size, pitch }) => at + (size - 1) * pitch, chosen.first);
  return chosen.first >= 0 && last < layout.channels ? chosen : undefined;
}

/** Whether digits are those of all places along an axis. */
function isWhole(digits: readonly Digit[], size: number, pitch: number): boolean {
  const [only, ...others] = digits;
  if (!only) return size === 1;
  return others.length === 0 && only.size === size && only.pitch === pitch && only.divisor === 1;
}
