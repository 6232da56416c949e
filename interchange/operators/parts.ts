/** Parts of values, and channels that become pixels. */
import { elementCount } from "../../compiler/ir/shape.js";
import { axisNames } from "../../compiler/layers/channel-parts.js";
import { axesOf, channelsOf, type Feature, type Known } from "../known.js";
import { axisOf, type NodeContext } from "../node-context.js";

/**
 * `Slice` of a value: a layer for each axis that is cut. Inputs: data, starts, ends, axes, steps.
 */
export function sliceOfValue(context: NodeContext): Known {
  const input = context.feature(0);
  const x = input.order.as === "features" ? context.asStored(input) : input;
  const starts = context.integers(1, "starts");
  const ends = context.integers(2, "ends");
  const axes = context.has(3) ? context.integers(3, "axes") : starts.map((_, axis) => axis);
  const steps = context.has(4) ? context.integers(4, "steps") : starts.map(() => 1);
  return axes.reduce((value, axis, index) => {
    const part = { start: starts[index]!, end: ends[index]!, step: steps[index]! };
    return cut(context, value, axesOf(x)[axisOf(axis, x.stored.length)]!, part);
  }, x);
}

interface Part {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

/** ONNX clips what lies outside of the value. */
export function cut(
  context: NodeContext,
  x: Feature,
  axis: number,
  { start, end, step }: Part,
): Feature {
  if (step < 1) context.refuse(`its step is ${step}`);
  if (axis === 0) {
    if (start === 0 && end >= 2 ** 31 - 1 && step === 1) return x;
    context.refuse("it cuts the batch");
  }
  const size = Number(x.stored[axis]);
  const inside = (at: number) => Math.min(Math.max(at < 0 ? at + size : at, 0), size);
  const [first, last] = [inside(start), inside(end)];
  if (first === 0 && last === size && step === 1) return x;
  if (first >= last) context.refuse("its part has no elements");
  const values = { axis: axisNames(x.stored)[axis - 1], start: first, end: last, step };
  return { ...context.layer("slice", [x], values), order: x.order };
}

/** `Split` along an axis: a slice for each output. Sizes are input 1, or an attribute. */
export function split(context: NodeContext): readonly Known[] {
  const input = context.feature(0);
  const x = input.order.as === "features" ? context.asStored(input) : input;
  const axis = axesOf(x)[axisOf(context.attributes.number("axis", 0), x.stored.length)]!;
  context.attributes.ignore("num_outputs");
  if (axis === 0) context.refuse("it splits the batch");
  const count = context.node.outputs.length;
  const size = Number(x.stored[axis]);
  const each = Math.ceil(size / count);
  const even = Array.from({ length: count }, (_, index) => Math.min(each, size - index * each));
  const named = context.attributes.numbers("split");
  const sizes = named ?? (context.has(1) ? context.integers(1, "sizes") : even);
  let start = 0;
  return sizes.map((length) => {
    const part = { start, end: start + length, step: 1 };
    start += length;
    return cut(context, x, axis, part);
  });
}

/** `DepthToSpace` in the order of PyTorch's `PixelShuffle`. */
export function depthToSpace(context: NodeContext): Known {
  const factor = context.attributes.number("blocksize", 1);
  const mode = context.attributes.text("mode", "DCR");
  const x = context.asStored(context.feature(0));
  const isOneChannel = Number(x.stored[1]) === factor ** 2;
  if (mode === "CRD" || isOneChannel) return context.layer("pixel_shuffle", [x], { factor });
  return context.refuse(
    "its mode DCR takes blocks of channels",
    "`pixel_shuffle` is the mode CRD, as PyTorch has it",
  );
}

/** `PRelu` with one slope, or one for each channel. */
export function preLu(context: NodeContext): Known {
  const x = context.asStored(context.feature(0));
  const slope = context.constant(1, "slope");
  const count = elementCount(slope.shape);
  const channels = channelsOf(x);
  const isPerChannel = count === channels && slope.shape[0] === channels;
  if (count !== 1 && !isPerChannel) context.refuse("its slopes differ by pixel");
  const weight = { ...slope, shape: [count] };
  return context.layer("prelu", [x], { per_channel: count > 1 }, { tensors: { weight } });
}
