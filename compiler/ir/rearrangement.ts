/** Orders of elements, and what one is behind another. */
import { sizesOf, type AnyNode, type RearrangeAttributes, type Value } from "./graph.js";
import { elementCount, sameShape, stridesOf, type Shape } from "./shape.js";

/** Ops whose result is elements of one value, in an order. */
export type Moving = "rearrange" | "rearrangeGradient" | "reshape";

/** A number of elements, and from one to the next in what they are taken from. */
export interface Axis {
  readonly size: number;
  readonly stride: number;
}

/** An axis with its place in the count of what is taken: elements from one to the next there. */
interface CountedAxis extends Axis {
  readonly place: number;
}

/** The order in which a node takes the elements of its input; undefined where it makes zeros. */
export function orderOf(node: AnyNode): RearrangeAttributes | undefined {
  switch (node.kind) {
    case "reshape":
      return inOrder(node.attributes.shape);
    case "rearrange":
      return node.attributes;
    case "rearrangeGradient":
      return inverse(node.attributes, node.attributes.inputShape);
    default:
      return undefined;
  }
}

/** All elements, one after the other. */
const inOrder = (shape: Shape): RearrangeAttributes => ({
  shape,
  start: 0,
  strides: stridesOf(shape),
});

/** Whether elements are taken one after the other, from the first on. */
export function isInOrder(order: RearrangeAttributes): boolean {
  const axes = merged(axesOf(order));
  return order.start === 0 && axes.every(({ stride }) => stride === 1) && axes.length < 2;
}

/** Whether an order takes all elements of a value, one after the other. */
export const isReshape = ({ shape }: Pick<Value, "shape">, order: RearrangeAttributes): boolean =>
  elementCount(shape) === elementCount(order.shape) && isInOrder(order);

/** Whether a value's elements taken in an order are the value. */
export const isValueItself = (value: Pick<Value, "shape">, order: RearrangeAttributes): boolean =>
  sameShape(value.shape, order.shape) && isInOrder(order);

/**
 * The order that takes from the first value what `outer` takes of that which `inner` takes.
 * Undefined where it has no such axes: an axis of `outer` must be whole ones of `inner`, or a part
 * of one.
 */
export function composed(
  outer: RearrangeAttributes,
  inner: RearrangeAttributes,
): RearrangeAttributes | undefined {
  const both = takenOf(countedBy(outer), countedBy(inner));
  return both && ordered(outer.shape, both.start, both.axes.flat());
}

/** Elements by their number: the first one, and from one to the next along axes. */
export interface Numbers {
  readonly start: number;
  readonly axes: readonly Axis[];
}

export const countedBy = (order: RearrangeAttributes): Numbers => ({
  start: order.start,
  axes: axesOf(order),
});

/** What `outer` takes of that which `inner` takes, with the finer axes of each axis of `outer`. */
export function takenOf(
  outer: Numbers,
  inner: Numbers,
): { readonly start: number; readonly axes: readonly (readonly Axis[])[] } | undefined {
  const digits = counted(merged(inner.axes.filter(({ size }) => size > 1)));
  const reached = digits.map(({ place, size }) => Math.floor(outer.start / place) % size);
  const start = digits.reduce(
    (at, { stride }, digit) => at + reached[digit]! * stride,
    inner.start,
  );
  const axes: (readonly Axis[])[] = [];
  for (const axis of outer.axes) {
    const finer = axis.size === 1 ? [] : splitAt(axis, digits);
    if (!finer) return undefined;
    for (const { digit, size, step } of finer) reached[digit]! += (size - 1) * step;
    axes.push(
      finer.map(({ digit, size, step }) => ({ size, stride: step * digits[digit]!.stride })),
    );
  }
  return digits.some(({ size }, digit) => reached[digit]! >= size) ? undefined : { start, axes };
}

/** Where elements go that an order took from all of a value; undefined if it took some of them. */
function inverse(order: RearrangeAttributes, shape: Shape): RearrangeAttributes | undefined {
  const axes = counted(axesOf(order)).toSorted((a, b) => b.stride - a.stride);
  const isWhole = counted(axes).every(({ place }, axis) => place === axes[axis]!.stride);
  if (order.start > 0 || !isWhole || elementCount(shape) !== elementCount(order.shape)) {
    return undefined;
  }
  const back = axes.map(({ size, place }) => ({ size, stride: place }));
  return ordered(shape, 0, back);
}

/** The axes of more than one element. */
const axesOf = (order: RearrangeAttributes): readonly Axis[] =>
  sizesOf(order)
    .map((size, axis) => ({ size, stride: order.strides[axis]! }))
    .filter(({ size }) => size > 1);

/** Axes that continue each other are one. */
function merged(axes: readonly Axis[]): readonly Axis[] {
  return axes.reduceRight<readonly Axis[]>((behind, axis) => {
    const [next, ...others] = behind;
    if (!next || axis.stride !== next.size * next.stride) return [axis, ...behind];
    return [{ size: axis.size * next.size, stride: next.stride }, ...others];
  }, []);
}

function counted(axes: readonly Axis[]): readonly CountedAxis[] {
  return axes.map((axis, index) => {
    const finer = axes.slice(index + 1);
    return { ...axis, place: finer.reduce((product, { size }) => product * size, 1) };
  });
}

/** A part of one axis of those along which is counted. */
interface Split {
  readonly digit: number;
  readonly size: number;
  readonly step: number;
}

/** An axis over a count as axes over the digits of this count, those with large steps first. */
function splitAt(
  { size, stride }: Axis,
  digits: readonly CountedAxis[],
): readonly Split[] | undefined {
  const digit = digits.findIndex(({ place }) => place <= stride);
  const along = digits[digit];
  if (!along || stride % along.place !== 0) return undefined;
  const step = stride / along.place;
  if ((size - 1) * step < along.size) return [{ digit, size, step }];
  const room = along.size / step;
  if (!Number.isInteger(room) || size % room !== 0) return undefined;
  const coarser = splitAt({ size: size / room, stride: stride * room }, digits);
  return coarser && [...coarser, { digit, size: room, step }];
}

/** An order by the axes of its shape, or by the fewest finer ones that it takes. */
function ordered(shape: Shape, start: number, axes: readonly Axis[]): RearrangeAttributes {
  const fewest = merged(axes.filter(({ size }) => size > 1));
  const strides = stridesBy(shape.slice(1).map(Number), fewest);
  if (strides) return { shape, start, strides };
  return {
    shape,
    start,
    sizes: fewest.map(({ size }) => size),
    strides: fewest.map(({ stride }) => stride),
  };
}

/** Strides of axes of these sizes; undefined where one of them is several of the given axes. */
function stridesBy(sizes: readonly number[], axes: readonly Axis[]): readonly number[] | undefined {
  const open = [...axes];
  let rest: Axis = { size: 1, stride: 1 };
  const strides: number[] = [];
  for (const size of sizes.toReversed()) {
    if (rest.size === 1 && size > 1) rest = open.pop()!;
    if (rest.size % size !== 0) return undefined;
    strides.push(rest.stride);
    rest = { size: rest.size / size, stride: rest.stride * size };
  }
  return strides.reverse();
}
