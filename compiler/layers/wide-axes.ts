/** Values of more axes than an image along some of their axes: joined, cut or repeated there. */
import type { Builder } from "../ir/builder.js";
import type { ReduceAttributes, Value } from "../ir/graph.js";
import type { Origin } from "../ir/origin.js";
import { asImage, BATCH, elementCount, type Shape, type StoredAxis } from "../ir/shape.js";
import type { AxisPart } from "./channel-parts.js";
import { imageOfTokens, permuteAxes, tokensOfImage } from "./token-order.js";

/** Where ops go. */
interface At {
  readonly builder: Builder;
  readonly origin: Origin;
}

/** What is joined along which axes of which shape, the batch being 0. */
interface Reduction {
  readonly shape: Shape;
  readonly axes: readonly number[];
  readonly by: ReduceAttributes["by"];
}

/** Neighboring axes that are treated alike, as one. */
interface Run {
  readonly size: number;
  readonly isChosen: boolean;
}

/** The axes behind the batch, of which those of one element belong to any run. */
function runsOf(shape: Shape, isChosen: (axis: number) => boolean): readonly Run[] {
  return shape.reduce<readonly Run[]>((runs, size, axis) => {
    if (axis === 0 || size === 1) return runs;
    const own = { size: Number(size), isChosen: isChosen(axis) };
    const last = runs.at(-1);
    if (last?.isChosen !== own.isChosen) return [...runs, own];
    return [...runs.slice(0, -1), { ...last, size: last.size * own.size }];
  }, []);
}

const reshaped = (value: Value, shape: Shape, { builder, origin }: At): Value =>
  builder.add("reshape", [value], { shape }, origin);

/** The shape with one element along these axes. */
export const reducedWide = (shape: Shape, axes: readonly number[]): Shape =>
  shape.map((size, axis) => (axes.includes(axis) ? 1 : size));

/** The elements along some axes as one. */
export function reduceWide(
  value: Value,
  reduction: Reduction,
  builder: Builder,
  origin: Origin,
): Value {
  const { shape, axes } = reduction;
  const runs = runsOf(shape, (axis) => axes.includes(axis));
  if (!runs.some(({ isChosen }) => isChosen)) return value;
  const at = { builder, origin };
  return reshaped(reduceRuns(value, runs, reduction, at), asImage(reducedWide(shape, axes)), at);
}

function reduceRuns(
  value: Value,
  runs: readonly Run[],
  { shape, axes, by }: Reduction,
  at: At,
): Value {
  const { builder, origin } = at;
  const along = (of: Value, axis: StoredAxis) =>
    builder.add("reduce", [of], { by, axes: [axis] }, origin);
  const isBefore = runs.length === 2 && runs[0]!.isChosen;
  const isBetween = runs.length === 3 && runs[1]!.isChosen;
  if (isBefore || isBetween) {
    const sizes = runs.map(({ size }) => size);
    const [before, chosen, after] = (isBefore ? [1, ...sizes] : sizes) as [number, number, number];
    const tokens = reshaped(value, [BATCH, before * chosen, after], at);
    if (isBefore) return along(tokens, "columns");
    const image = imageOfTokens(builder, tokens, [before, chosen], origin);
    return tokensOfImage(builder, along(image, "columns"), origin);
  }
  const chosen = runs.reduce((n, { size, isChosen }) => (isChosen ? n * size : n), 1);
  const isLast = runs.length <= 2;
  const ordered = isLast ? value : permuteAxes(value, shape, chosenLast(shape, axes), at);
  const rows = [BATCH, elementCount(shape) / chosen, chosen] as const;
  return along(reshaped(ordered, rows, at), "channels");
}

const chosenLast = (shape: Shape, axes: readonly number[]): readonly number[] => {
  const all = shape.map((_, axis) => axis);
  return [...all.filter((axis) => !axes.includes(axis)), ...axes.toSorted((a, b) => a - b)];
};

/**
 * A value repeated along the axes on which it has one element and `to` has more, from the last to
 * the first.
 */
export function spreadWide(
  value: Value,
  { from, to }: { readonly from: Shape; readonly to: Shape },
  builder: Builder,
  origin: Origin,
): Value {
  const at = { builder, origin };
  const runs = runsOf(to, (axis) => from[axis] !== to[axis]);
  const spread = runs.reduceRight((made, { size, isChosen }, place) => {
    if (!isChosen) return made;
    const before = runs.slice(0, place).reduce((n, run) => (run.isChosen ? n : n * run.size), 1);
    const after = runs.slice(place + 1).reduce((n, run) => n * run.size, 1);
    return repeat(made, [before, size, after], at);
  }, value);
  return reshaped(spread, asImage(to), at);
}

/** How many elements there are in front of an axis, along it, and behind one of its elements. */
export const aroundAxis = (shape: Shape, axis: number): readonly [number, number, number] => [
  elementCount(shape.slice(1, axis)),
  Number(shape[axis]),
  elementCount(shape.slice(axis + 1)),
];

/** A value and its shape as the spec has it. */
interface Shaped {
  readonly value: Value;
  readonly shape: Shape;
}

/** Some of a value along an axis, the batch being 0. */
export function partOfWide(
  { value, shape }: Shaped,
  { axis, start, count, step = 1 }: AxisPart & { readonly axis: number },
  { builder, origin }: At,
): Value {
  const [before, size, after] = aroundAxis(shape, axis);
  const order = {
    shape: asImage(shape.with(axis, count)),
    sizes: [before, count, after],
    start: start * after,
    strides: [size * after, step * after, 1],
  };
  return builder.add("rearrange", [value], order, origin);
}

/**
 * Values one after the other along an axis: rows of all that an element in front of the axis has.
 */
export function concatenateWide(values: readonly Shaped[], axis: number, at: At): Value {
  const [before] = aroundAxis(values[0]!.shape, axis);
  const rows = values.map(({ value, shape }) => {
    const row = elementCount(shape) / before;
    return reshaped(value, before === 1 ? [BATCH, row] : [BATCH, before, row], at);
  });
  const joined = at.builder.add("concatenate", rows, {}, at.origin);
  return reshaped(joined, [BATCH, elementCount(joined.shape)], at);
}

/** `[before, 1, after]` as `[before, times, after]`. */
function repeat(
  value: Value,
  [before, times, after]: readonly [number, number, number],
  at: At,
): Value {
  const { builder, origin } = at;
  const spread = (small: Value, shape: Shape) => builder.add("spread", [small], { shape }, origin);
  if (after === 1) return spread(reshaped(value, [BATCH, before, 1], at), [BATCH, before, times]);
  const tokens = reshaped(value, [BATCH, before, after], at);
  if (before === 1) return spread(tokens, [BATCH, times, after]);
  const image = imageOfTokens(builder, tokens, [before, 1], origin);
  return tokensOfImage(builder, spread(image, [BATCH, after, before, times]), origin);
}
