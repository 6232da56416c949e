/**
 * Operators of tools with channels last, as nodes with channels first. Images are `[N, C, H, W]`
 * in the nodes, and `[N, H, W, C]` for whoever calls: kernels, axes and shapes that come in are
 * those of the tool.
 */
import type { ForeignAttributes, ForeignTensor } from "./foreign-graph.js";
import { RefusedLayer, type GraphWriter } from "./graph-writer.js";
import { floats, integers, reshaped, transposed } from "./tensors.js";
import { withoutUndefined } from "../program/without-undefined.js";

/** A value: an image has rank 4, rows of features have rank 2. */
export interface Tensor {
  readonly value: string;
  readonly rank: number;
  /** `[rows, columns, channels]` where all of them are known. */
  readonly sizes?: readonly number[] | undefined;
}

export type Sides = readonly [readonly [number, number], readonly [number, number]];
/** `same` pads the odd element at the bottom and right. */
export type WindowPadding = "same" | "valid" | Sides;

export interface Window {
  readonly strides: readonly [number, number];
  readonly dilations?: readonly [number, number];
  readonly padding: WindowPadding;
}

export interface Statistics {
  readonly gamma?: ForeignTensor | undefined;
  readonly beta?: ForeignTensor | undefined;
  readonly mean: ForeignTensor;
  readonly variance: ForeignTensor;
}

/** Between images with channels first and last. */
const TO_FIRST = [0, 3, 1, 2];
const TO_LAST = [0, 2, 3, 1];
/** Where rows, columns and channels are in images with channels first. */
const STORED_AXES = [2, 3, 1];

export class ChannelsLast {
  /** What values are transposes of. */
  private readonly turns = new Map<string, { from: string; perm: readonly number[] }>();

  constructor(readonly writer: GraphWriter) {}

  /** @param kernel `[kh, kw, in/groups, out]` */
  conv(x: Tensor, kernel: ForeignTensor, bias: ForeignTensor | undefined, window: Window): Tensor {
    const weight = transposed(requireRank(kernel, 4), [3, 2, 0, 1]);
    return this.convolution(x, weight, bias, window);
  }

  /** @param kernel `[kh, kw, in, multiplier]`: output `in * multiplier + m` */
  depthwise(
    x: Tensor,
    kernel: ForeignTensor,
    bias: ForeignTensor | undefined,
    window: Window,
  ): Tensor {
    const [height, width, inputs, multiplier] = requireRank(kernel, 4).shape as Four;
    const weight = transposed(kernel, [2, 3, 0, 1]);
    const flat = reshaped(weight, [inputs * multiplier, 1, height, width]);
    return this.convolution(x, flat, bias, window, inputs);
  }

  private convolution(
    x: Tensor,
    weight: ForeignTensor,
    bias: ForeignTensor | undefined,
    window: Window,
    depth?: number,
  ): Tensor {
    requireImage(x);
    const perGroup = weight.shape[1]!;
    const channels = depth ?? x.sizes?.[2] ?? perGroup;
    const group = channels / perGroup;
    if (!Number.isInteger(group) || group < 1) {
      throw new RefusedLayer(
        `its kernel is for ${perGroup} channels, and its input has ${channels}`,
      );
    }
    const inputs = [x.value, this.writer.constant(weight), bias && this.writer.constant(bias)];
    const value = this.writer.node("Conv", inputs, { group, ...windowAttributes(window) });
    const kernel = weight.shape.slice(2) as unknown as readonly [number, number];
    return { value, rank: 4, sizes: windowed(x, kernel, window, weight.shape[0]) };
  }

  /**
   * @param kernel `[kh, kw, out, in]`
   * `same` gives stride times the input's size. What it cuts off is odd where kernel minus stride
   * is: zeros before the kernel make both sides the same.
   */
  convTranspose(
    x: Tensor,
    kernel: ForeignTensor,
    bias: ForeignTensor | undefined,
    window: Window,
  ): Tensor {
    requireImage(x);
    if (window.dilations?.some((each) => each !== 1)) {
      throw new RefusedLayer("it is dilated and transposed");
    }
    const { strides } = window;
    const sizes = requireRank(kernel, 4).shape.slice(0, 2);
    const over = sizes.map((size, axis) => {
      return window.padding === "same" ? Math.max(0, size - strides[axis]!) : 0;
    });
    // Without `same`, and where the kernel is shorter than the stride, the output has stride
    // times the input's size at least.
    const extra = sizes.map((size, axis) => Math.max(0, strides[axis]! - size));
    const odd = over.map((each) => each % 2);
    const grown = zerosBefore(transposed(kernel, [3, 2, 0, 1]), odd);
    const pads = over.map((each) => Math.ceil(each / 2));
    const inputs = [x.value, this.writer.constant(grown), bias && this.writer.constant(bias)];
    const value = this.writer.node("ConvTranspose", inputs, {
      strides,
      pads: [...pads, ...pads],
      output_padding: extra,
    });
    const out = kernel.shape[2]!;
    const [rows, columns] = [0, 1].map((axis) => {
      const size = x.sizes?.[axis];
      if (size === undefined) return undefined;
      const longer = Math.max(0, sizes[axis]! - strides[axis]!) - over[axis]!;
      return size * strides[axis]! + longer;
    });
    const known = rows === undefined || columns === undefined ? undefined : [rows, columns, out];
    return { value, rank: 4, sizes: known };
  }

  /** @param kernel `[in, out]`; of an image, each pixel by itself */
  dense(x: Tensor, kernel: ForeignTensor, bias: ForeignTensor | undefined): Tensor {
    const [inputs, out] = requireRank(kernel, 2).shape as [number, number];
    if (x.rank === 4) {
      const pixel = { ...kernel, shape: [1, 1, inputs, out] };
      return this.conv(x, pixel, bias, { strides: [1, 1], padding: "valid" });
    }
    const constants = [this.writer.constant(kernel), bias && this.writer.constant(bias)];
    return { value: this.writer.node("Gemm", [x.value, ...constants]), rank: 2 };
  }

  pool(x: Tensor, kind: "max" | "average", kernel: readonly [number, number], window: Window) {
    requireImage(x);
    const value = this.writer.node(kind === "max" ? "MaxPool" : "AveragePool", [x.value], {
      kernel_shape: kernel,
      ...windowAttributes(window),
    });
    return { value, rank: 4, sizes: windowed(x, kernel, window, x.sizes?.[2]) };
  }

  globalPool(x: Tensor, kind: "max" | "average", keepsAxes: boolean): Tensor {
    requireImage(x);
    const operator = kind === "max" ? "GlobalMaxPool" : "GlobalAveragePool";
    const pooled = this.writer.node(operator, [x.value]);
    const channels = x.sizes?.[2];
    if (keepsAxes) {
      return {
        value: pooled,
        rank: 4,
        sizes: channels === undefined ? undefined : [1, 1, channels],
      };
    }
    return { value: this.writer.node("Flatten", [pooled]), rank: 2 };
  }

  /** Rows, then columns, then channels. */
  flatten(x: Tensor): Tensor {
    if (x.rank === 2) return x;
    return { value: this.writer.node("Flatten", [this.turned(x.value, TO_LAST)]), rank: 2 };
  }

  /** @param shape without the batch; -1 once for what is left */
  reshape(x: Tensor, shape: readonly number[]): Tensor {
    if (shape.length === 1) return this.flatten(x);
    if (shape.length !== 3) {
      throw new RefusedLayer(
        `it makes [N, ${shape.join(", ")}]`,
        "netc has [N, features] and [N, channels, height, width]",
      );
    }
    if (isSameImage(x, shape)) return x;
    const [height, width, channels] = this.wholeShape(x, shape);
    const wanted = this.writer.constant(integers([4], [0, height, width, channels]));
    const read = x.rank === 4 ? this.turned(x.value, TO_LAST) : x.value;
    const value = this.turned(this.writer.node("Reshape", [read, wanted]), TO_FIRST);
    return { value, rank: 4, sizes: [height, width, channels] };
  }

  /** @param dims of rows, columns and channels, which are 1, 2 and 3 */
  permute(x: Tensor, dims: readonly number[]): Tensor {
    requireImage(x);
    if ([...dims].sort().join() !== "1,2,3") {
      throw new RefusedLayer(`it permutes axes to [${dims.join(", ")}]`);
    }
    const [rows, columns, channels] = dims.map((axis) => STORED_AXES[axis - 1]!);
    const value = this.turned(x.value, [0, channels!, rows!, columns!]);
    return { value, rank: 4, sizes: x.sizes && dims.map((axis) => x.sizes![axis - 1]!) };
  }

  /** Cuts rows and columns off a transposed convolution, which is the same as its padding. */
  crop(x: Tensor, [[top, bottom], [left, right]]: Sides): Tensor {
    const maker = this.writer.nodes.find(({ outputs }) => outputs.includes(x.value));
    const pads = maker?.attributes["pads"] as readonly number[] | undefined;
    if (maker?.operator !== "ConvTranspose" || !pads) {
      throw new RefusedLayer(
        "netc has no layer that crops",
        "a convolution without padding; after a transposed convolution it can be cropped",
      );
    }
    const more = [top, left, bottom, right].map((each, side) => each + pads[side]!);
    const attributes = { ...maker.attributes, pads: more };
    const value = this.writer.node("ConvTranspose", maker.inputs, attributes);
    const [rows, columns, channels] = x.sizes ?? [];
    if (rows === undefined) return { value, rank: 4 };
    return { value, rank: 4, sizes: [rows - top - bottom, columns! - left - right, channels!] };
  }

  /** `Transpose`; of a value that one makes, one for both. */
  private turned(value: string, perm: readonly number[]): string {
    const before = this.turns.get(value);
    const composed = before ? perm.map((axis) => before.perm[axis]!) : perm;
    const from = before?.from ?? value;
    if (composed.every((axis, index) => axis === index)) return from;
    const made = this.writer.node("Transpose", [from], { perm: composed });
    this.turns.set(made, { from, perm: composed });
    return made;
  }

  private wholeShape(x: Tensor, shape: readonly number[]): readonly [number, number, number] {
    const elements = x.sizes?.reduce((product, size) => product * size, 1) ?? NaN;
    const known = shape.reduce((product, size) => (size === -1 ? product : product * size), 1);
    const whole = shape.map((size) => (size === -1 ? elements / known : size));
    if (whole.every(isSize)) return whole as unknown as [number, number, number];
    throw new RefusedLayer(`it makes [N, ${shape.join(", ")}] of \`${x.value}\``, "name all sizes");
  }

  batchNormalization(x: Tensor, statistics: Statistics, epsilon: number, momentum: number): Tensor {
    const { gamma, beta, mean, variance } = statistics;
    const constants = [
      gamma ?? floats([mean.values.length], new Float32Array(mean.values.length).fill(1)),
      ...[beta ?? floats([mean.values.length], new Float32Array(mean.values.length)), mean],
      variance,
    ].map((tensor) => this.writer.constant(tensor));
    const attributes = { epsilon, momentum };
    const value = this.writer.node("BatchNormalization", [x.value, ...constants], attributes);
    return { ...x, value };
  }

  /** A node that treats each element by itself. */
  elementwise(
    operator: string,
    x: Tensor,
    attributes: ForeignAttributes = {},
    constants: readonly (ForeignTensor | undefined)[] = [],
  ): Tensor {
    const others = constants.map((tensor) => tensor && this.writer.constant(tensor));
    return { ...x, value: this.writer.node(operator, [x.value, ...others], attributes) };
  }

  softmax(x: Tensor): Tensor {
    return this.elementwise("Softmax", x, { axis: 1 });
  }

  binary(operator: "Add" | "Mul" | "Sub", a: Tensor, b: Tensor): Tensor {
    const count = ({ sizes }: Tensor) => (sizes ? sizes.reduce((n, size) => n * size, 1) : 0);
    const larger = a.rank > b.rank || (a.rank === b.rank && count(a) >= count(b)) ? a : b;
    return { ...larger, value: this.writer.node(operator, [a.value, b.value]) };
  }

  /** @param constant one number, or one for each channel */
  withConstant(operator: "Add" | "Mul" | "Sub" | "Div", x: Tensor, constant: ForeignTensor) {
    const shape = constant.values.length === 1 ? [] : channelShape(constant, x.rank);
    const name = this.writer.constant({ ...constant, shape });
    return { ...x, value: this.writer.node(operator, [x.value, name]) };
  }

  /** @param axis of the tool: the last one */
  concat(parts: readonly Tensor[], axis: number): Tensor {
    const [first] = parts;
    if (!first || parts.some(({ rank }) => rank !== first.rank)) {
      throw new RefusedLayer("it joins values of different ranks");
    }
    requireChannelAxis(axis, first.rank);
    const value = this.writer.node(
      "Concat",
      parts.map((part) => part.value),
      { axis: 1 },
    );
    const channels = parts.map(({ sizes }) => sizes?.[2]);
    const isKnown = first.sizes !== undefined && channels.every((each) => each !== undefined);
    const total = channels.reduce<number>((sum, each) => sum + (each ?? 0), 0);
    return { ...first, value, sizes: isKnown ? [...first.sizes.slice(0, 2), total] : undefined };
  }

  pad(x: Tensor, [[top, bottom], [left, right]]: Sides): Tensor {
    requireImage(x);
    const pads = integers([8], [0, 0, top, left, 0, 0, bottom, right]);
    const value = this.writer.node("Pad", [x.value, this.writer.constant(pads)]);
    const [rows, columns, channels] = x.sizes ?? [];
    if (rows === undefined) return { value, rank: 4 };
    return { value, rank: 4, sizes: [rows + top + bottom, columns! + left + right, channels!] };
  }

  /** Each row and column several times, or linear between the middles of pixels. */
  upsample(x: Tensor, [vertical, horizontal]: readonly [number, number], mode: Upsampling): Tensor {
    requireImage(x);
    const scales = this.writer.constant(floats([4], [1, 1, vertical, horizontal]));
    const value = this.writer.node("Resize", [x.value, undefined, scales], {
      mode,
      coordinate_transformation_mode: mode === "nearest" ? "asymmetric" : "half_pixel",
      ...withoutUndefined({ nearest_mode: mode === "nearest" ? "floor" : undefined }),
    });
    const [rows, columns, channels] = x.sizes ?? [];
    if (rows === undefined) return { value, rank: 4 };
    return { value, rank: 4, sizes: [rows * vertical, columns! * horizontal, channels!] };
  }
}

export type Upsampling = "nearest" | "linear";
type Four = [number, number, number, number];

/** Throws a RefusedLayer unless the axis is the last one. */
export function requireChannelAxis(axis: number, rank: number): void {
  if (axis === -1 || axis === rank - 1) return;
  throw new RefusedLayer(`it works along axis ${axis}, and only channels, the last axis, can be`);
}

export function requireImage({ rank }: Tensor): void {
  if (rank !== 4) throw new RefusedLayer(`its input has ${rank} axes, and images have 4`);
}

function requireRank(tensor: ForeignTensor, rank: number): ForeignTensor {
  if (tensor.shape.length === rank) return tensor;
  throw new RefusedLayer(
    `its weights are [${tensor.shape.join(", ")}], and must have ${rank} axes`,
  );
}

function windowAttributes({ strides, dilations, padding }: Window): ForeignAttributes {
  const common = withoutUndefined({ strides, dilations });
  if (padding === "same") return { ...common, auto_pad: "SAME_UPPER" };
  if (padding === "valid") return common;
  const [[top, bottom], [left, right]] = padding;
  return { ...common, pads: [top, left, bottom, right] };
}

/** Sizes after a window has slid over an image, where the image's are known. */
function windowed(
  { sizes }: Tensor,
  kernel: readonly [number, number],
  { strides, dilations, padding }: Window,
  channels: number | undefined,
): readonly number[] | undefined {
  if (!sizes || channels === undefined) return undefined;
  const [rows, columns] = [0, 1].map((axis) => {
    const size = sizes[axis]!;
    if (padding === "same") return Math.ceil(size / strides[axis]!);
    const span = (dilations?.[axis] ?? 1) * (kernel[axis]! - 1) + 1;
    const more = padding === "valid" ? 0 : padding[axis]![0] + padding[axis]![1];
    return Math.floor((size + more - span) / strides[axis]!) + 1;
  }) as [number, number];
  return [rows, columns, channels];
}

/** Zeros before the rows and columns of a kernel `[in, out, kh, kw]`. */
function zerosBefore(kernel: ForeignTensor, counts: readonly number[]): ForeignTensor {
  const [top, left] = counts as [number, number];
  if (top === 0 && left === 0) return kernel;
  const [inputs, out, height, width] = kernel.shape as Four;
  const [tall, wide] = [height + top, width + left];
  const values = new Float32Array(inputs * out * tall * wide);
  for (let row = 0; row < inputs * out * height; row++) {
    const plane = Math.floor(row / height);
    const target = (plane * tall + top + (row % height)) * wide + left;
    values.set(kernel.values.subarray(row * width, (row + 1) * width), target);
  }
  return floats([inputs, out, tall, wide], values);
}

function channelShape(constant: ForeignTensor, rank: number): readonly number[] {
  const channels = constant.values.length;
  if (constant.shape.at(-1) !== channels) {
    throw new RefusedLayer(
      `its constant [${constant.shape.join(", ")}] differs by pixel`,
      "netc has one number for each channel",
    );
  }
  return rank === 4 ? [channels, 1, 1] : [channels];
}

const isSize = (size: number) => Number.isSafeInteger(size) && size >= 1;

function isSameImage({ rank, sizes }: Tensor, shape: readonly number[]): boolean {
  const isSame = sizes && shape.every((size, axis) => size === -1 || size === sizes[axis]);
  return rank === 4 && isSame === true;
}
