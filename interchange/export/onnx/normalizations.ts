import type { LayerNodes } from "./node-writer.js";

export function batchnorm(nodes: LayerNodes): void {
  const { call } = nodes;
  const statistics = [nodes.parameter("running_mean"), nodes.parameter("running_var")];
  nodes.end("BatchNormalization", [nodes.input(), ...affine(nodes), ...statistics], {
    epsilon: call.number("eps"),
    // ONNX's is the share that is kept.
    momentum: 1 - call.number("momentum"),
  });
}

/** Weight and bias of each channel, also where the layer has none. */
function affine(nodes: LayerNodes): readonly [string, string] {
  if (nodes.call.flag("affine")) return [nodes.parameter("weight"), nodes.parameter("bias")];
  return neutral(nodes, nodes.call.image.channels);
}

function neutral(nodes: LayerNodes, channels: number): readonly [string, string] {
  const ones = nodes.floats("ones", [channels], new Float32Array(channels).fill(1));
  return [ones, nodes.floats("zeros", [channels], new Float32Array(channels))];
}

/**
 * Groups of channels as channels, each of which InstanceNormalization normalizes. Opset 17 has no
 * GroupNormalization.
 */
export function groupnorm(nodes: LayerNodes): void {
  const { call } = nodes;
  const { channels, height, width } = call.image;
  const groups = call.number("groups");
  const epsilon = call.number("eps");
  if (groups === channels && call.isImage) {
    return nodes.end("InstanceNormalization", [nodes.input(), ...affine(nodes)], { epsilon });
  }
  const apart = nodes.integers("apart", [0, groups, (channels / groups) * height, width]);
  const images = nodes.part("groups", "Reshape", [nodes.input(), apart]);
  const inputs = [images, ...neutral(nodes, groups)];
  const normalized = nodes.part("normalized", "InstanceNormalization", inputs, { epsilon });
  const together = nodes.integers("together", [0, ...call.output.slice(1).map(Number)]);
  if (!call.flag("affine")) return nodes.end("Reshape", [normalized, together]);
  const whole = nodes.part("whole", "Reshape", [normalized, together]);
  scaleAndShift(nodes, whole);
}

export function instancenorm(nodes: LayerNodes): void {
  const epsilon = nodes.call.number("eps");
  nodes.end("InstanceNormalization", [nodes.input(), ...affine(nodes)], { epsilon });
}

/** Over the channels of each pixel, which must then be the last axis. */
export function layernorm(nodes: LayerNodes): void {
  const { call } = nodes;
  const attributes = { axis: -1, epsilon: call.number("eps") };
  const [weight, bias] = affine(nodes);
  if (!call.isImage) {
    return nodes.end("LayerNormalization", [nodes.input(), weight, bias], attributes);
  }
  const last = nodes.part("last", "Transpose", [nodes.input()], { perm: [0, 2, 3, 1] });
  const inputs = [last, weight, bias];
  const normalized = nodes.part("normalized", "LayerNormalization", inputs, attributes);
  nodes.end("Transpose", [normalized], { perm: [0, 3, 1, 2] });
}

export function scale(nodes: LayerNodes): void {
  scaleAndShift(nodes, nodes.input(), { hasBias: nodes.call.flag("bias") });
}

/** `weight * value + bias`, one of each for a channel. */
function scaleAndShift(
  nodes: LayerNodes,
  value: string,
  { hasBias }: { readonly hasBias: boolean } = { hasBias: true },
): void {
  const shape = [nodes.call.image.channels, ...(nodes.call.isImage ? [1, 1] : [])];
  const weight = nodes.parameter("weight", shape);
  if (!hasBias) return nodes.end("Mul", [value, weight]);
  const scaled = nodes.part("scaled", "Mul", [value, weight]);
  nodes.end("Add", [scaled, nodes.parameter("bias", shape)]);
}

/** ONNX divides alpha by the size, as `divide=size` does. */
export function lrn(nodes: LayerNodes): void {
  const { call } = nodes;
  const size = call.number("size");
  const alpha = call.number("alpha") * (call.text("divide") === "size" ? 1 : size);
  const [beta, k] = [call.number("beta"), call.number("k")];
  if (size % 2 === 1) return nodes.end("LRN", [nodes.input()], { size, alpha, beta, bias: k });
  lrnOfEvenSize(nodes, { size, alpha, beta, k });
}

interface LrnSettings {
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;
}

/**
 * ONNX's even windows lie half a channel further on: the mean of squares is a pool over channels.
 */
function lrnOfEvenSize(nodes: LayerNodes, { size, alpha, beta, k }: LrnSettings): void {
  const { channels, height, width } = nodes.call.image;
  const x = nodes.input();
  const squares = nodes.part("squares", "Mul", [x, x]);
  const flat = nodes.integers("flat", [0, 1, channels, height * width]);
  const rows = nodes.part("rows", "Reshape", [squares, flat]);
  const means = nodes.part("means", "AveragePool", [rows], {
    kernel_shape: [size, 1],
    strides: [1, 1],
    pads: [size / 2, 0, size / 2 - 1, 0],
    count_include_pad: 1,
  });
  const shape = nodes.integers("shape", [0, channels, height, width]);
  const images = nodes.part("images", "Reshape", [means, shape]);
  const scaled = nodes.part("scaled", "Mul", [images, nodes.scalar("alpha", alpha)]);
  const sum = nodes.part("sum", "Add", [scaled, nodes.scalar("k", k)]);
  nodes.end("Div", [x, nodes.part("power", "Pow", [sum, nodes.scalar("beta", beta)])]);
}
