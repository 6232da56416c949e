import type { NetworkValue, ResolvedNetwork } from "../../../compiler/network/resolved.js";
import { evenWindows, hasOverhang, hasPadding } from "../pool-windows.js";
import { paddingWithOverhang, poolWindows } from "../pool-windows.js";
import { RefusedExport } from "../refusal.js";
import type { KerasLayers } from "./keras-writer.js";
import { isSame, padded, type KerasWindow } from "./windows.js";

const LAST = { data_format: "channels_last" };

/** Zeros before a pool change nothing where no value is below 0. */
export function maxpool(layers: KerasLayers): void {
  const { call } = layers;
  const windows = poolWindows(call);
  const padding = paddingWithOverhang(windows);
  const { kernel, stride } = windows;
  const window: KerasWindow = { kernel, stride, dilation: [1, 1], padding };
  const config = { pool_size: kernel, strides: stride, ...LAST };
  if (isSame(call.image, window)) {
    return layers.end("MaxPooling2D", { ...config, padding: "same" }, [layers.input()]);
  }
  if (hasPadding(padding) && !isNeverNegative(call.model.network, call.layer.inputs[0]!)) {
    throw new RefusedExport(
      "its padding is not `same` of Keras, and zeros would exceed negative values",
      "`relu` before it, or `--to onnx`",
    );
  }
  layers.end("MaxPooling2D", { ...config, padding: "valid" }, [padded(layers, padding)]);
}

/** Layers of which no value is below 0 where none of their inputs is. */
const KEEPING = new Set([
  ...["maxpool", "avgpool", "adaptive_avgpool", "global_avgpool", "upsample", "pad", "dropout"],
  ...["identity", "flatten", "reshape", "add", "multiply", "concat"],
]);

function isNeverNegative(network: ResolvedNetwork, { from, index }: NetworkValue): boolean {
  if (from !== "layer") return false;
  const { definition, inputs } = network.layers[index]!;
  const [least = -Infinity] = definition.range ?? [];
  if (least >= 0) return true;
  return KEEPING.has(definition.name) && inputs.every((input) => isNeverNegative(network, input));
}

/** `same` counts no padding; a layer of zeros before counts all of it. */
export function avgpool(layers: KerasLayers): void {
  const { call } = layers;
  const windows = poolWindows(call);
  const { kernel, stride, padding } = windows;
  const config = { pool_size: kernel, strides: stride, ...LAST };
  const counts = call.flag("count_padding") || !hasPadding(padding);
  if (!hasOverhang(windows) && counts) {
    const input = padded(layers, padding);
    return layers.end("AveragePooling2D", { ...config, padding: "valid" }, [input]);
  }
  const whole = {
    kernel,
    stride,
    dilation: [1, 1],
    padding: paddingWithOverhang(windows),
  } as const;
  const countsNone = !call.flag("count_padding") || !hasPadding(padding);
  if (countsNone && isSame(call.image, whole)) {
    return layers.end("AveragePooling2D", { ...config, padding: "same" }, [layers.input()]);
  }
  throw new RefusedExport("what it leaves out of a mean is not `same` of Keras", "`--to onnx`");
}

/** A pool over the whole image: GlobalAveragePooling2D would drop rows and columns. */
export function globalAvgpool(layers: KerasLayers): void {
  const { height, width } = layers.call.image;
  const whole = { pool_size: [height, width], strides: [height, width], padding: "valid", ...LAST };
  layers.end("AveragePooling2D", whole, [layers.input()]);
}

export function adaptiveAvgpool(layers: KerasLayers): void {
  const { call } = layers;
  const [rows, columns] = call.pair("size");
  const { height, width } = call.image;
  if (rows === height && columns === width) return layers.give(layers.input());
  if (rows === 1 && columns === 1) return globalAvgpool(layers);
  const [vertical, horizontal] = [evenWindows(height, rows), evenWindows(width, columns)];
  if (!vertical || !horizontal) {
    throw new RefusedExport("its windows have different sizes", "`avgpool`, or `--to onnx`");
  }
  const config = {
    pool_size: [vertical.kernel, horizontal.kernel],
    strides: [vertical.stride, horizontal.stride],
    padding: "valid",
    ...LAST,
  };
  layers.end("AveragePooling2D", config, [layers.input()]);
}
