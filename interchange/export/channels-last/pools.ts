/** Pools that Keras has; where it has none, what else to write is up to the format. */
import type { NetworkValue, ResolvedNetwork } from "../../../compiler/network/resolved.js";
import type { Pair } from "../../../compiler/ir/graph.js";
import {
  evenWindows,
  hasOverhang,
  hasPadding,
  paddingWithOverhang,
  poolWindows,
  type PoolWindows,
} from "../pool-windows.js";
import { RefusedExport } from "../refusal.js";
import type { KerasConfig, KerasLayers, KerasMapping, TensorRef } from "./keras-writer.js";
import { isSame, LAST, padded, type KerasWindow } from "./windows.js";

/** Writes a pool whose padding Keras does not have. */
export type OtherPool = (layers: KerasLayers, windows: PoolWindows) => void;

export const poolSettings = (kernel: Pair, stride: Pair): KerasConfig => ({
  pool_size: kernel,
  strides: stride,
  ...LAST,
});

export function poolOf(
  layers: KerasLayers,
  className: "MaxPooling2D" | "AveragePooling2D",
  { kernel, stride }: Pick<PoolWindows, "kernel" | "stride">,
  { padding, input }: { readonly padding: "same" | "valid"; readonly input: TensorRef },
): void {
  layers.end(className, { config: { ...poolSettings(kernel, stride), padding }, inputs: [input] });
}

/** Zeros before a pool change nothing where no value is below 0. */
export const maxpool =
  (otherwise: OtherPool): KerasMapping =>
  (layers) => {
    const { call } = layers;
    const windows = poolWindows(call);
    const padding = paddingWithOverhang(windows);
    const { kernel, stride, dilation } = windows;
    if (dilation.some((step) => step > 1)) {
      throw new RefusedExport("its pools have no dilation", "`--to onnx` or `--to pytorch`");
    }
    const whole: KerasWindow = { kernel, stride, dilation: [1, 1], padding };
    const input = layers.input();
    if (isSame(call.image, whole)) {
      return poolOf(layers, "MaxPooling2D", windows, { padding: "same", input });
    }
    if (hasPadding(padding) && !isNeverNegative(call.model.network, call.layer.inputs[0]!)) {
      return otherwise(layers, windows);
    }
    const from = padded(layers, padding);
    poolOf(layers, "MaxPooling2D", windows, { padding: "valid", input: from });
  };

/** Layers of which no value is below 0 where none of their inputs is. */
const KEEPING = new Set([
  ...["maxpool", "avgpool", "adaptive_avgpool", "global_avgpool", "upsample", "pad", "dropout"],
  ...["stochastic_depth", "identity", "stop", "flatten", "reshape", "add", "multiply", "concat"],
]);

function isNeverNegative(network: ResolvedNetwork, { from, index }: NetworkValue): boolean {
  if (from !== "layer") return false;
  const { definition, inputs } = network.layers[index]!;
  const [least = -Infinity] = definition.range ?? [];
  if (least >= 0) return true;
  return KEEPING.has(definition.name) && inputs.every((input) => isNeverNegative(network, input));
}

/** `same` counts no padding; a layer of zeros before counts all of it. */
export const avgpool =
  (otherwise: OtherPool): KerasMapping =>
  (layers) => {
    const { call } = layers;
    const windows = poolWindows(call);
    if (call.has("divisor")) {
      throw new RefusedExport("its pools have no divisor", "`--to onnx` or `--to pytorch`");
    }
    const { kernel, stride, padding } = windows;
    const counts = call.flag("count_padding") || !hasPadding(padding);
    if (!hasOverhang(windows) && counts) {
      const input = padded(layers, padding);
      return poolOf(layers, "AveragePooling2D", windows, { padding: "valid", input });
    }
    const sides = paddingWithOverhang(windows);
    const whole: KerasWindow = { kernel, stride, dilation: [1, 1], padding: sides };
    const countsNone = !call.flag("count_padding") || !hasPadding(padding);
    if (!countsNone || !isSame(call.image, whole)) return otherwise(layers, windows);
    poolOf(layers, "AveragePooling2D", windows, { padding: "same", input: layers.input() });
  };

/** A pool over the whole image: GlobalAveragePooling2D would drop rows and columns. */
export function globalAvgpool(layers: KerasLayers): void {
  const { height, width } = layers.call.image;
  const whole = { kernel: [height, width], stride: [height, width] } as const;
  poolOf(layers, "AveragePooling2D", whole, { padding: "valid", input: layers.input() });
}

/** `otherwise` where windows have different sizes. */
export const adaptiveAvgpool =
  (otherwise: KerasMapping): KerasMapping =>
  (layers) => {
    const { call } = layers;
    const [rows, columns] = call.pair("size");
    const { height, width } = call.image;
    if (rows === height && columns === width) return layers.give(layers.input());
    if (rows === 1 && columns === 1) return globalAvgpool(layers);
    const [vertical, horizontal] = [evenWindows(height, rows), evenWindows(width, columns)];
    if (!vertical || !horizontal) return otherwise(layers);
    const windows = {
      kernel: [vertical.kernel, horizontal.kernel],
      stride: [vertical.stride, horizontal.stride],
    } as const;
    poolOf(layers, "AveragePooling2D", windows, { padding: "valid", input: layers.input() });
  };
