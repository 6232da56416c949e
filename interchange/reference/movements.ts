/** References of what moves elements. */
import { RefusedNode } from "../attributes.js";
import { sizeOf, type ForeignTensor } from "../foreign-graph.js";
import { gathered, integers, stridesOf, transposed } from "../tensors.js";
import { given, made, spread } from "./elementwise.js";
import type { Reference, ReferenceCall } from "./reference.js";

const listOf = ({ values }: ForeignTensor) => [...values];

/** Axis of a tensor; negative ones count from the end. */
export function countedAxis(axis: number, rank: number): number {
  const counted = axis < 0 ? axis + rank : axis;
  if (counted >= 0 && counted < rank) return counted;
  throw new RefusedNode(`its axis ${axis} is not one of ${rank}`);
}

/** Axes as an attribute, or as the second input, as newer opsets have them. */
export function namedAxes(call: ReferenceCall, rank: number): readonly number[] | undefined {
  const second = call.inputs[1];
  const axes = call.attributes.numbers("axes") ?? (second && listOf(second));
  return axes?.map((axis) => countedAxis(axis, rank));
}

const withShape = (tensor: ForeignTensor, shape: readonly number[]): ForeignTensor => {
  if (sizeOf(shape) === tensor.values.length) return { ...tensor, shape };
  throw new RefusedNode(`[${tensor.shape.join(", ")}] cannot be [${shape.join(", ")}]`);
};

const reshape: Reference = (call) => {
  const x = given(call, 0);
  const allowsZero = call.attributes.flag("allowzero", false);
  const wanted = listOf(given(call, 1)).map((size, axis) =>
    size === 0 && !allowsZero ? (x.shape[axis] ?? 0) : size,
  );
  const known = wanted.reduce((n, size) => (size === -1 ? n : n * size), 1);
  return withShape(
    x,
    wanted.map((size) => (size === -1 ? x.values.length / known : size)),
  );
};

const flatten: Reference = (call) => {
  const x = given(call, 0);
  const named = call.attributes.number("axis", 1);
  const axis = named < 0 ? named + x.shape.length : named;
  return withShape(x, [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))]);
};

const transpose: Reference = (call) => {
  const x = given(call, 0);
  const axes = call.attributes.numbers("perm") ?? x.shape.map((_, axis) => axis).reverse();
  return transposed(x, axes);
};

/** Channels as pixels: the factors come after the channels (CRD) or before them (DCR). */
const depthToSpace: Reference = (call) => {
  const x = given(call, 0);
  const factor = call.attributes.number("blocksize", 1);
  const isAfter = call.attributes.text("mode", "DCR") === "CRD";
  const [batch, all, height, width] = x.shape as [number, number, number, number];
  const channels = all / factor ** 2;
  const parts = isAfter ? [channels, factor, factor] : [factor, factor, channels];
  const apart = withShape(x, [batch, ...parts, height, width]);
  const turned = transposed(apart, isAfter ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]);
  return withShape(turned, [batch, channels, height * factor, width * factor]);
};

const squeeze: Reference = (call) => {
  const x = given(call, 0);
  const axes = namedAxes(call, x.shape.length);
  const isDropped = (axis: number) => (axes ? axes.includes(axis) : x.shape[axis] === 1);
  return withShape(
    x,
    x.shape.filter((_, axis) => !isDropped(axis)),
  );
};

const unsqueeze: Reference = (call) => {
  const x = given(call, 0);
  const count = (call.attributes.numbers("axes") ?? listOf(given(call, 1))).length;
  const rank = x.shape.length + count;
  const axes = namedAxes(call, rank) ?? [];
  const rest = [...x.shape];
  return withShape(
    x,
    Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : rest.shift()!)),
  );
};

const concat: Reference = (call) => {
  const parts = call.inputs.map((_, index) => given(call, index));
  const [first] = parts;
  if (!first) throw new RefusedNode("it has no inputs");
  const axis = countedAxis(call.attributes.number("axis", 1), first.shape.length);
  const total = parts.reduce((sum, { shape }) => sum + shape[axis]!, 0);
  const shape = first.shape.map((size, index) => (index === axis ? total : size));
  const result = made(first.kind, shape);
  const rows = sizeOf(shape.slice(0, axis));
  const width = sizeOf(shape.slice(axis));
  let start = 0;
  for (const part of parts) {
    const length = sizeOf(part.shape.slice(axis));
    for (let row = 0; row < rows; row++) {
      result.values.set(
        part.values.subarray(row * length, (row + 1) * length),
        row * width + start,
      );
    }
    start += length;
  }
  return result;
};

const gather: Reference = (call) => {
  const [x, places] = [given(call, 0), given(call, 1)];
  const axis = countedAxis(call.attributes.number("axis", 0), x.shape.length);
  const order = listOf(places).map((index) => countedAxis(index, x.shape[axis]!));
  const shape = [...x.shape.slice(0, axis), ...places.shape, ...x.shape.slice(axis + 1)];
  return { ...gathered(x, axis, order), shape };
};

const slice: Reference = (call) => {
  const x = given(call, 0);
  const [starts, ends] = [listOf(given(call, 1)), listOf(given(call, 2))];
  const axes = call.inputs[3] ? listOf(call.inputs[3]) : starts.map((_, axis) => axis);
  const steps = call.inputs[4] ? listOf(call.inputs[4]) : starts.map(() => 1);
  return axes.reduce((tensor, named, index) => {
    const axis = countedAxis(named, x.shape.length);
    const size = tensor.shape[axis]!;
    return gathered(tensor, axis, range(size, starts[index]!, ends[index]!, steps[index]!));
  }, x);
};

/** The places from start to end, as Python counts them. */
function range(size: number, start: number, end: number, step: number): readonly number[] {
  if (step === 0) throw new RefusedNode("its step is 0");
  const counted = (place: number, least: number, most: number) =>
    Math.min(Math.max(place < 0 ? place + size : place, least), most);
  const places: number[] = [];
  if (step > 0) {
    const last = counted(end, 0, size);
    for (let at = counted(start, 0, size); at < last; at += step) places.push(at);
  } else {
    const last = counted(end, -1, size - 1);
    for (let at = counted(start, 0, size - 1); at > last; at += step) places.push(at);
  }
  return places;
}

const split: Reference = (call) => {
  const x = given(call, 0);
  const axis = countedAxis(call.attributes.number("axis", 0), x.shape.length);
  const size = x.shape[axis]!;
  const part = Math.ceil(size / call.outputs);
  const even = Array.from({ length: call.outputs }, (_, index) =>
    Math.min(part, size - index * part),
  );
  const named = call.attributes.numbers("split") ?? (call.inputs[1] && listOf(call.inputs[1]));
  call.attributes.ignore("num_outputs");
  let start = 0;
  return (named ?? even).map((length) => {
    const from = start;
    start += length;
    return gathered(x, axis, range(size, from, from + length, 1));
  });
};

/** Padding that repeats elements of the tensor. */
function padFrom(x: ForeignTensor, pads: readonly number[], mode: string): ForeignTensor {
  const rank = x.shape.length;
  const shape = x.shape.map((size, axis) => size + pads[axis]! + pads[axis + rank]!);
  const result = made(x.kind, shape);
  const [from, to] = [stridesOf(x.shape), stridesOf(shape)];
  result.values.forEach((_, index) => {
    let place = 0;
    for (let axis = 0; axis < rank; axis++) {
      const size = x.shape[axis]!;
      const at = (Math.floor(index / to[axis]!) % shape[axis]!) - pads[axis]!;
      place += from[axis]! * inside(at, size, mode);
    }
    result.values[index] = x.values[place]!;
  });
  return result;
}

function inside(at: number, size: number, mode: string): number {
  if (mode === "edge") return Math.min(Math.max(at, 0), size - 1);
  if (mode === "wrap") return ((at % size) + size) % size;
  if (mode !== "reflect") throw new RefusedNode(`it pads by ${mode}`);
  const last = size - 1;
  return at < 0 ? -at : last - Math.abs(last - at);
}

const pad: Reference = (call) => {
  const x = given(call, 0);
  const mode = call.attributes.text("mode", "constant");
  if (call.inputs[3]) throw new RefusedNode("it names axes");
  if (mode !== "constant") return padFrom(x, listOf(given(call, 1)), mode);
  const pads = listOf(given(call, 1));
  const rank = x.shape.length;
  const shape = x.shape.map((size, axis) => size + pads[axis]! + pads[axis + rank]!);
  const result = made(x.kind, shape);
  result.values.fill(call.inputs[2]?.values[0] ?? 0);
  const [from, to] = [stridesOf(x.shape), stridesOf(shape)];
  x.values.forEach((value, index) => {
    let place = 0;
    for (let axis = 0; axis < rank; axis++) {
      const at = (Math.floor(index / from[axis]!) % x.shape[axis]!) + pads[axis]!;
      if (at < 0 || at >= shape[axis]!) return;
      place += at * to[axis]!;
    }
    result.values[place] = value;
  });
  return result;
};

const shape: Reference = (call) => {
  const x = given(call, 0);
  const { attributes } = call;
  const end = attributes.number("end", x.shape.length);
  const part = x.shape.slice(attributes.number("start", 0), end);
  return integers([part.length], part);
};

const constantOfShape: Reference = (call) => {
  const value = call.attributes.tensor("value");
  const result = made(value?.kind ?? "float", listOf(given(call, 0)));
  result.values.fill(value?.values[0] ?? 0);
  return result;
};

const expand: Reference = (call) => {
  const [x, wanted] = [given(call, 0), listOf(given(call, 1))];
  const rank = Math.max(x.shape.length, wanted.length);
  const sizes = Array.from({ length: rank }, (_, axis) =>
    Math.max(x.shape[axis - rank + x.shape.length] ?? 1, wanted[axis - rank + wanted.length] ?? 1),
  );
  const result = made(x.kind, sizes);
  result.values.set(Float64Array.from(spread(x, sizes)));
  return result;
};

const rangeOfNumbers: Reference = (call) => {
  const [start, limit, delta] = [0, 1, 2].map((index) => given(call, index).values[0]!) as [
    number,
    number,
    number,
  ];
  const length = Math.max(0, Math.ceil((limit - start) / delta));
  const result = made(given(call, 0).kind, [length]);
  result.values.forEach((_, index) => (result.values[index] = start + index * delta));
  return result;
};

export const movements: Readonly<Record<string, Reference>> = {
  Concat: concat,
  ConstantOfShape: constantOfShape,
  DepthToSpace: depthToSpace,
  Expand: expand,
  Flatten: flatten,
  Gather: gather,
  Pad: pad,
  Range: rangeOfNumbers,
  Reshape: reshape,
  Shape: shape,
  Slice: slice,
  Split: split,
  Squeeze: squeeze,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
};
