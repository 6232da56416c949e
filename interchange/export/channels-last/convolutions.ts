/** Convolutions and fully connected layers, with weights in the orders of Keras. */
import type { Pair } from "../../../compiler/ir/graph.js";
import type { ExportTensor } from "../model.js";
import { RefusedExport } from "../refusal.js";
import type { KerasCall, KerasConfig, KerasLayers, KerasWeight } from "./keras-writer.js";
import { permuted, turned } from "./orders.js";
import { isSame, LAST, padded, type KerasWindow } from "./windows.js";

export const windowOf = ({ call }: KerasLayers): KerasWindow => ({
  kernel: call.pair("kernel"),
  stride: call.pair("stride"),
  dilation: call.pair("dilation"),
  padding: call.padding("padding"),
});

export const hasStride = ({ stride }: Pick<KerasWindow, "stride">) => Math.max(...stride) > 1;
export const isDilated = ({ dilation }: Pick<KerasWindow, "dilation">) => Math.max(...dilation) > 1;

const commonSettings = ({ call }: KerasLayers): KerasConfig => ({
  use_bias: call.flag("bias"),
  activation: "linear",
  ...LAST,
});

const biasOf = ({ call }: KerasLayers): readonly KerasWeight[] => {
  if (!call.flag("bias")) return [];
  const { shape, values } = call.tensor("bias");
  return [{ name: "bias", shape, values }];
};

/** `[out, in, rows, columns]` as `[rows, columns, in, out]`. */
const kernelOf = (weight: ExportTensor): KerasWeight => ({
  name: "kernel",
  ...turned(weight, [2, 3, 1, 0]),
});

/** Whether each channel has separate kernels. */
export const isDepthwise = ({ call }: KerasLayers) =>
  call.number("groups") === call.image.channels && call.image.channels > 1;

/** Kernels of one channel each: `[rows, columns, channels, multiplier]`. */
function depthwiseKernel({ call }: KerasLayers) {
  const { channels } = call.image;
  const multiplier = call.number("out") / channels;
  const { values } = call.tensor("weight");
  const kernels = { shape: [channels, multiplier, ...call.pair("kernel")], values };
  const kernel = { name: "depthwise_kernel", ...turned(kernels, [2, 3, 0, 1]) };
  return { multiplier, kernel };
}

/**
 * A kernel over all channels with zeros where groups do not see each other. The first axis of the
 * weights belongs to groups; each has all of the second.
 */
function withoutGroups(layers: KerasLayers): ExportTensor {
  const { call, writer } = layers;
  const { shape, values } = call.tensor("weight");
  const groups = call.number("groups");
  if (groups === 1) return { shape, values };
  writer.notes.push(`${call.name}: its ${groups} groups became one kernel with zeros`);
  const [first, second, ...window] = shape as [number, number, ...number[]];
  const row = second * window.reduce((a, b) => a * b, 1);
  const whole = new Float32Array(first * row * groups);
  for (let index = 0; index < first; index++) {
    const group = Math.floor((index * groups) / first);
    const part = values.subarray(index * row, (index + 1) * row);
    whole.set(part, index * row * groups + group * row);
  }
  return { shape: [first, second * groups, ...window], values: whole };
}

export interface Convolution {
  readonly className: string;
  readonly call: KerasCall;
}

export function convolution(
  layers: KerasLayers,
  window: KerasWindow,
  /** Whether the format has groups; without them, one kernel reads all channels. */
  { hasGroups }: { readonly hasGroups: boolean },
): Convolution {
  const { call } = layers;
  const isItSame = isSame(call.image, window);
  const inputs = [isItSame ? layers.input() : padded(layers, window.padding)];
  const config = {
    kernel_size: window.kernel,
    strides: window.stride,
    dilation_rate: window.dilation,
    padding: isItSame ? "same" : "valid",
    ...commonSettings(layers),
  };
  if (isDepthwise(layers)) {
    const { multiplier, kernel } = depthwiseKernel(layers);
    const weights = [kernel, ...biasOf(layers)];
    const settings = { depth_multiplier: multiplier, ...config };
    return { className: "DepthwiseConv2D", call: { config: settings, inputs, weights } };
  }
  const weight = hasGroups ? call.tensor("weight") : withoutGroups(layers);
  const groups = hasGroups ? { groups: call.number("groups") } : {};
  const settings = { filters: call.number("out"), ...groups, ...config };
  const weights = [kernelOf(weight), ...biasOf(layers)];
  return { className: "Conv2D", call: { config: settings, inputs, weights } };
}

/** The whole transposed convolution, before rows and columns are removed. */
export function convTranspose(layers: KerasLayers): void {
  const { call } = layers;
  const geometry = transposedGeometry(layers);
  const { cropping, isSame } = geometry;
  if (cropping.flat().some((size) => size < 0)) {
    throw new RefusedExport(
      "its `output_padding` reaches beyond what Keras computes",
      "a kernel that is not smaller than the stride",
    );
  }
  const [height, width] = isSame ? layers.shape : geometry.made;
  const config = {
    filters: call.number("out"),
    kernel_size: call.pair("kernel"),
    strides: call.pair("stride"),
    dilation_rate: call.pair("dilation"),
    padding: isSame ? "same" : "valid",
    ...commonSettings(layers),
  };
  const weights = [kernelOf(withoutGroups(layers)), ...biasOf(layers)];
  const whole = { config, inputs: [layers.input()], weights };
  if (isSame || cropping.flat().every((size) => size === 0)) {
    return layers.end("Conv2DTranspose", whole);
  }
  const name = `${call.layer.weights}.whole`;
  const shape = [height!, width!, call.number("out")];
  const ref = layers.writer.layer(name, "Conv2DTranspose", shape, whole);
  layers.end("Cropping2D", { config: { cropping, ...LAST }, inputs: [ref] });
}

/** Sizes that Keras makes without padding, and what is too much at each end. */
function transposedGeometry({ call }: KerasLayers) {
  const [stride, padding] = [call.pair("stride"), call.pair("padding")];
  const reach = call
    .pair("kernel")
    .map((size, axis) => (size - 1) * call.pair("dilation")[axis]! + 1) as unknown as Pair;
  const { height, width } = call.image;
  const along = (axis: 0 | 1, size: number) => {
    const cut = Math.max(reach[axis] - stride[axis], 0);
    const made = size * stride[axis] + cut;
    const end = made - padding[axis] - Number(call.output[axis + 2]);
    const isSame = padding[axis] === Math.floor(cut / 2) && padding[axis] + end === cut;
    return { made, cropping: [padding[axis], end] as const, isSame };
  };
  const [rows, columns] = [along(0, height), along(1, width)];
  return {
    made: [rows.made, columns.made],
    cropping: [rows.cropping, columns.cropping],
    isSame: rows.isSame && columns.isSame,
  };
}

/** Its features come in the order of Keras where they were an image. */
export function linear(layers: KerasLayers): void {
  const { call } = layers;
  const { order } = layers.value();
  const given = call.tensor("weight");
  const weight = order ? permuted(given, 1, order) : given;
  const kernel = { name: "kernel", ...turned(weight, [1, 0]) };
  const config = {
    units: call.number("out"),
    use_bias: call.flag("bias"),
    activation: "linear",
  };
  layers.end("Dense", { config, inputs: [layers.input()], weights: [kernel, ...biasOf(layers)] });
}
