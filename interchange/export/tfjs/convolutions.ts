import type { ExportTensor } from "../model.js";
import { RefusedExport } from "../refusal.js";
import type { KerasConfig, KerasLayers, KerasWeight, TensorRef } from "./keras-writer.js";
import { permuted, turned } from "./orders.js";
import { isSame, padded, type KerasWindow } from "./windows.js";

export function conv(layers: KerasLayers): void {
  const { call } = layers;
  const window: KerasWindow = {
    kernel: call.pair("kernel"),
    stride: call.pair("stride"),
    dilation: call.pair("dilation"),
    padding: call.padding("padding"),
  };
  requireOneStep(window);
  const isItSame = isSame(call.image, window);
  const input = isItSame ? layers.input() : padded(layers, window.padding);
  const config = {
    kernel_size: window.kernel,
    strides: window.stride,
    dilation_rate: window.dilation,
    padding: isItSame ? "same" : "valid",
    ...common(layers),
  };
  const { channels } = call.image;
  const groups = call.number("groups");
  if (groups === channels && groups > 1) return depthwise(layers, config, input);
  const weight = withoutGroups(layers, call.tensor("weight"), groups);
  const kernel = { name: "kernel", ...turned(weight, [2, 3, 1, 0]) };
  const filters = call.number("out");
  layers.end("Conv2D", { filters, ...config }, [input], [kernel, ...bias(layers)]);
}

function requireOneStep({ stride, dilation }: KerasWindow): void {
  if (Math.max(...stride) > 1 && Math.max(...dilation) > 1) {
    throw new RefusedExport("it has either strides or dilations", "`stride=1` or `dilation=1`");
  }
}

const common = ({ call }: KerasLayers): KerasConfig => ({
  use_bias: call.flag("bias"),
  activation: "linear",
  data_format: "channels_last",
});

const bias = ({ call }: KerasLayers): readonly KerasWeight[] => {
  if (!call.flag("bias")) return [];
  const { shape, values } = call.tensor("bias");
  return [{ name: "bias", shape, values }];
};

/** Kernels of one channel each: `[rows, columns, channels, multiplier]`. */
function depthwise(layers: KerasLayers, config: KerasConfig, input: TensorRef): void {
  const { call } = layers;
  if (Math.max(...call.pair("dilation")) > 1) {
    throw new RefusedExport("its convolutions of single channels have no dilations", "`--to onnx`");
  }
  const { channels } = call.image;
  const multiplier = call.number("out") / channels;
  const [rows, columns] = call.pair("kernel");
  const { values } = call.tensor("weight");
  const kernels = { shape: [channels, multiplier, rows, columns], values };
  const kernel = { name: "depthwise_kernel", ...turned(kernels, [2, 3, 0, 1]) };
  const settings = { depth_multiplier: multiplier, ...config };
  layers.end("DepthwiseConv2D", settings, [input], [kernel, ...bias(layers)]);
}

/** A kernel over all channels with zeros where groups do not see each other. */
function withoutGroups(
  layers: KerasLayers,
  { shape, values }: ExportTensor,
  groups: number,
): ExportTensor {
  if (groups === 1) return { shape, values };
  const { name } = layers.call;
  layers.writer.notes.push(`${name}: its ${groups} groups became one kernel with zeros`);
  const [out, inputs, ...window] = shape as [number, number, ...number[]];
  const pixels = window.reduce((a, b) => a * b, 1);
  const whole = new Float32Array(out * inputs * groups * pixels);
  const row = inputs * pixels;
  for (let index = 0; index < out; index++) {
    const group = Math.floor((index * groups) / out);
    const part = values.subarray(index * row, (index + 1) * row);
    whole.set(part, index * row * groups + group * row);
  }
  return { shape: [out, inputs * groups, ...window], values: whole };
}

/** The whole transposed convolution, of which rows and columns are cut off. */
export function convTranspose(layers: KerasLayers): void {
  const { call } = layers;
  const [kernel, stride] = [call.pair("kernel"), call.pair("stride")];
  if (Math.max(...call.pair("dilation")) > 1) {
    throw new RefusedExport("its transposed convolutions have no dilations", "`--to onnx`");
  }
  const padding = call.pair("padding");
  const { height, width } = call.image;
  const made = [height, width].map((size, axis) => {
    return size * stride[axis]! + Math.max(kernel[axis]! - stride[axis]!, 0);
  });
  const ends = made.map((size, axis) => size - padding[axis]! - Number(call.output[axis + 2]));
  if (ends.some((end) => end < 0)) {
    throw new RefusedExport("its `output_padding` reaches beyond what Keras computes");
  }
  const groups = call.number("groups");
  const weight = transposedWithoutGroups(layers, call.tensor("weight"), groups);
  const kernels = { name: "kernel", ...turned(weight, [2, 3, 1, 0]) };
  const isItSame = made.every((_, axis) => {
    const cut = Math.max(kernel[axis]! - stride[axis]!, 0);
    return padding[axis] === Math.floor(cut / 2) && padding[axis] + ends[axis]! === cut;
  });
  const config = {
    filters: call.number("out"),
    kernel_size: kernel,
    strides: stride,
    padding: isItSame ? "same" : "valid",
    ...common(layers),
  };
  const weights = [kernels, ...bias(layers)];
  const cropping = [
    [padding[0], ends[0]!],
    [padding[1], ends[1]!],
  ];
  if (isItSame || cropping.flat().every((each) => each === 0)) {
    return layers.end("Conv2DTranspose", config, [layers.input()], weights);
  }
  const own = call.layer.weights;
  const whole = layers.writer.layer(
    "Conv2DTranspose",
    `${own}_whole`,
    config,
    [layers.input()],
    weights,
  );
  const crop = { cropping, data_format: "channels_last" };
  layers.end("Cropping2D", crop, [whole]);
}

/** `[in, out/groups, ...]` as `[in, out, ...]`. */
function transposedWithoutGroups(
  layers: KerasLayers,
  { shape, values }: ExportTensor,
  groups: number,
): ExportTensor {
  if (groups === 1) return { shape, values };
  const { name } = layers.call;
  layers.writer.notes.push(`${name}: its ${groups} groups became one kernel with zeros`);
  const [inputs, outs, ...window] = shape as [number, number, ...number[]];
  const row = outs * window.reduce((a, b) => a * b, 1);
  const whole = new Float32Array(inputs * row * groups);
  for (let index = 0; index < inputs; index++) {
    const group = Math.floor((index * groups) / inputs);
    const part = values.subarray(index * row, (index + 1) * row);
    whole.set(part, index * row * groups + group * row);
  }
  return { shape: [inputs, outs * groups, ...window], values: whole };
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
  layers.end("Dense", config, [layers.input()], [kernel, ...bias(layers)]);
}
