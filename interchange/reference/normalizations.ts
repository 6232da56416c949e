/** References of normalizations, softmax and reductions. */
import { RefusedNode } from "../attributes.js";
import { sizeOf, type ForeignTensor } from "../foreign-graph.js";
import { broadcastShape, given, made, spread } from "./elementwise.js";
import type { Reference, ReferenceCall } from "./reference.js";
import { countedAxis, namedAxes } from "./movements.js";

const batchNormalization: Reference = (call) => {
  const x = given(call, 0);
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((index) => given(call, index).values);
  const epsilon = call.attributes.number("epsilon", 1e-5);
  return byChannel(x, (value, channel) => {
    const centered = value - mean![channel]!;
    return (
      (centered / Math.sqrt(variance![channel]! + epsilon)) * scale![channel]! + bias![channel]!
    );
  });
};

function byChannel(x: ForeignTensor, compute: (value: number, channel: number) => number) {
  const pixels = sizeOf(x.shape.slice(2));
  const channels = x.shape[1]!;
  const result = made("float", x.shape);
  x.values.forEach((value, index) => {
    result.values[index] = compute(value, Math.floor(index / pixels) % channels);
  });
  return result;
}

/** Rows of this length to mean 0 and variance 1. */
function standardized(x: ForeignTensor, length: number, epsilon: number): ForeignTensor {
  const result = made("float", x.shape);
  for (let start = 0; start < x.values.length; start += length) {
    const row = x.values.subarray(start, start + length);
    let mean = 0;
    row.forEach((value: number) => (mean += value / length));
    let variance = 0;
    row.forEach((value: number) => (variance += (value - mean) ** 2 / length));
    const scale = 1 / Math.sqrt(variance + epsilon);
    row.forEach((value: number, index: number) => {
      result.values[start + index] = (value - mean) * scale;
    });
  }
  return result;
}

function grouped(call: ReferenceCall, groups: number): ForeignTensor {
  const x = given(call, 0);
  const epsilon = call.attributes.number("epsilon", 1e-5);
  const length = sizeOf(x.shape.slice(1)) / groups;
  const [scale, bias] = [given(call, 1).values, given(call, 2).values];
  const together = call.attributes.flag("per_group", false) ? x.shape[1]! / groups : 1;
  return byChannel(standardized(x, length, epsilon), (value, channel) => {
    const at = Math.floor(channel / together);
    return value * scale[at]! + bias[at]!;
  });
}

const layerNormalization: Reference = (call) => {
  const x = given(call, 0);
  const axis = countedAxis(call.attributes.number("axis", -1), x.shape.length);
  const length = sizeOf(x.shape.slice(axis));
  const result = standardized(x, length, call.attributes.number("epsilon", 1e-5));
  const [scale, bias] = [given(call, 1).values, call.inputs[2]?.values];
  result.values.forEach((value, index) => {
    const at = index % length;
    result.values[index] = value * scale[at % scale.length]! + (bias?.[at % bias.length] ?? 0);
  });
  return result;
};

const lrn: Reference = (call) => {
  const x = given(call, 0);
  const { attributes } = call;
  const size = attributes.number("size", 5);
  const [alpha, beta] = [attributes.number("alpha", 1e-4), attributes.number("beta", 0.75)];
  const bias = attributes.number("bias", 1);
  const pixels = sizeOf(x.shape.slice(2));
  const channels = x.shape[1]!;
  const result = made("float", x.shape);
  x.values.forEach((value, index) => {
    const channel = Math.floor(index / pixels) % channels;
    const first = Math.max(0, channel - Math.floor((size - 1) / 2));
    const last = Math.min(channels - 1, channel + Math.ceil((size - 1) / 2));
    let sum = 0;
    for (let other = first; other <= last; other++) {
      sum += x.values[index + (other - channel) * pixels]! ** 2;
    }
    result.values[index] = value / (bias + (alpha / size) * sum) ** beta;
  });
  return result;
};

const softmax: Reference = (call) => {
  const x = given(call, 0);
  const axis = countedAxis(call.attributes.number("axis", -1), x.shape.length);
  const flattens = call.attributes.flag("flattens", false);
  const inner = flattens ? 1 : sizeOf(x.shape.slice(axis + 1));
  const length = flattens ? sizeOf(x.shape.slice(axis)) : x.shape[axis]!;
  const result = made("float", x.shape);
  const rows = length === 0 ? 0 : x.values.length / length;
  for (let row = 0; row < rows; row++) {
    const start = Math.floor(row / inner) * length * inner + (row % inner);
    const places = Array.from({ length }, (_, index) => start + index * inner);
    const largest = places.reduce((most, place) => Math.max(most, x.values[place]!), -Infinity);
    let total = 0;
    for (const place of places) total += Math.exp(x.values[place]! - largest);
    for (const place of places) {
      result.values[place] = Math.exp(x.values[place]! - largest) / total;
    }
  }
  return result;
};

const logSoftmax: Reference = (call) => {
  const shares = softmax(call) as ForeignTensor;
  return { ...shares, values: Float64Array.from(shares.values, Math.log) };
};

const logSumExp: Reference = (call) => {
  const x = given(call, 0);
  const powers = { ...x, values: Float64Array.from(x.values, Math.exp) };
  const [, ...others] = call.inputs;
  const sums = sumOver({ ...call, inputs: [powers, ...others] }) as ForeignTensor;
  return { ...sums, values: Float64Array.from(sums.values, Math.log) };
};

/** Over the named axes, or all. */
const reduction =
  (start: number, compute: (total: number, x: number) => number, isMean = false): Reference =>
  (call) => {
    const x = given(call, 0);
    const rank = x.shape.length;
    const named = namedAxes(call, rank);
    if (call.attributes.flag("noop_with_empty_axes", false) && !named?.length) return x;
    const axes = named?.length ? named : x.shape.map((_, axis) => axis);
    const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    const result = made("float", kept);
    result.values.fill(start);
    const count = isMean ? sizeOf(axes.map((axis) => x.shape[axis]!)) : 1;
    x.values.forEach((value, index) => {
      const place = placeIn(index, x.shape, kept);
      result.values[place] = compute(result.values[place]!, value / count);
    });
    if (call.attributes.flag("keepdims", true)) return result;
    return { ...result, shape: kept.filter((_, axis) => !axes.includes(axis)) };
  };

const sumOver = reduction(0, (total, x) => total + x);

function placeIn(index: number, shape: readonly number[], kept: readonly number[]): number {
  let place = 0;
  let step = 1;
  let rest = index;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const at = rest % shape[axis]!;
    rest = (rest - at) / shape[axis]!;
    if (kept[axis] !== 1) place += at * step;
    step *= kept[axis]!;
  }
  return place;
}

/** Matrices with matrices; axes before their rows and columns are broadcast. */
const matMul: Reference = (call) => {
  const [a, b] = [given(call, 0), given(call, 1)];
  const [rows, depth] = a.shape.slice(-2) as [number, number];
  const [inner, columns] = b.shape.slice(-2) as [number, number];
  if (depth !== inner) throw new RefusedNode("its matrices do not go together");
  const [before, after] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const shape = broadcastShape(before, after);
  const [lefts, rights] = [spread(counted(before), shape), spread(counted(after), shape)];
  const result = made("float", [...shape, rows, columns]);
  for (let index = 0; index < result.values.length; index++) {
    const [column, line] = [index % columns, Math.floor(index / columns)];
    const matrix = Math.floor(line / rows);
    const left = (lefts[matrix]! * rows + (line % rows)) * depth;
    const right = rights[matrix]! * depth * columns + column;
    let sum = 0;
    for (let k = 0; k < depth; k++) sum += a.values[left + k]! * b.values[right + k * columns]!;
    result.values[index] = sum;
  }
  return result;
};

/** The places of a tensor's elements. */
function counted(shape: readonly number[]): ForeignTensor {
  const values = Float64Array.from({ length: sizeOf(shape) }, (_, place) => place);
  return { kind: "int", shape, values };
}

const gemm: Reference = (call) => {
  const { attributes } = call;
  const [a, b, c] = [given(call, 0), given(call, 1), call.inputs[2]];
  const [isATurned, isBTurned] = [
    attributes.flag("transA", false),
    attributes.flag("transB", false),
  ];
  const [rows, depth] = isATurned ? [a.shape[1]!, a.shape[0]!] : [a.shape[0]!, a.shape[1]!];
  const columns = b.shape[isBTurned ? 0 : 1]!;
  if (b.shape[isBTurned ? 1 : 0] !== depth)
    throw new RefusedNode("its matrices do not go together");
  const [alpha, beta] = [attributes.number("alpha", 1), attributes.number("beta", 1)];
  const result = made("float", [rows, columns]);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let k = 0; k < depth; k++) {
        const left = a.values[isATurned ? k * rows + row : row * depth + k]!;
        sum += left * b.values[isBTurned ? column * depth + k : k * columns + column]!;
      }
      const place = c ? placeOfBias(c.shape, row, column) : 0;
      result.values[row * columns + column] = alpha * sum + (c ? beta * c.values[place]! : 0);
    }
  }
  return result;
};

function placeOfBias(shape: readonly number[], row: number, column: number): number {
  const columns = shape.at(-1) ?? 1;
  const rows = shape.at(-2) ?? 1;
  return (rows === 1 ? 0 : row * columns) + (columns === 1 ? 0 : column);
}

export const normalizations: Readonly<Record<string, Reference>> = {
  BatchNormalization: batchNormalization,
  Gemm: gemm,
  GroupNormalization: (call) => grouped(call, call.attributes.number("num_groups", 1)),
  InstanceNormalization: (call) => grouped(call, given(call, 0).shape[1]!),
  LRN: lrn,
  LayerNormalization: layerNormalization,
  LogSoftmax: logSoftmax,
  MatMul: matMul,
  ReduceLogSumExp: logSumExp,
  ReduceMax: reduction(-Infinity, Math.max),
  ReduceMean: reduction(0, (total, x) => total + x, true),
  ReduceMin: reduction(Infinity, Math.min),
  ReduceSum: sumOver,
  Softmax: softmax,
};
