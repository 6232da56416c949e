import type { Padding } from "../../../compiler/ir/graph.js";
import { poolOf, poolSettings, type OtherPool } from "../channels-last/pools.js";
import { padded, paddedShape } from "../channels-last/windows.js";
import { paddingWithOverhang } from "../pool-windows.js";
import { timesPixels } from "./einsum.js";

/** The least float, which never wins: JSON has no infinity. */
const LEAST = -3.4028234663852886e38;

export const maxpoolBelowZero: OtherPool = (layers, windows) => {
  const input = layers.input();
  const padding = paddingWithOverhang(windows);
  const { top, bottom, left, right } = padding;
  const sides = [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
  const from = layers.part("pad", "Pad", paddedShape(input.shape, padding), {
    config: { pad_width: sides, mode: "constant" },
    inputs: [input],
    arguments: { named: { constant_values: LEAST } },
  });
  poolOf(layers, "MaxPooling2D", windows, { padding: "valid", input: from });
};

/** The mean over all of a window with zeros, times all that it has over what counts. */
export const avgpoolOfSome: OtherPool = (layers, windows) => {
  const { call } = layers;
  const { kernel, stride, padding } = windows;
  const sides = paddingWithOverhang(windows);
  const config = { ...poolSettings(kernel, stride), padding: "valid" };
  const inputs = [padded(layers, sides)];
  const means = layers.part("means", "AveragePooling2D", layers.shape, { config, inputs });
  const counted = call.flag("count_padding") ? padding : NO_PADDING;
  const { height, width } = call.image;
  const [rows, columns] = layers.shape as [number, number];
  const vertical = counts(rows, {
    kernel: kernel[0],
    stride: stride[0],
    start: sides.top,
    from: -counted.top,
    to: height + counted.bottom,
  });
  const horizontal = counts(columns, {
    kernel: kernel[1],
    stride: stride[1],
    start: sides.left,
    from: -counted.left,
    to: width + counted.right,
  });
  const area = kernel[0] * kernel[1];
  const factors = vertical.flatMap((tall) => horizontal.map((wide) => area / (tall * wide)));
  timesPixels(layers, means, Float32Array.from(factors));
};

const NO_PADDING: Padding = { top: 0, bottom: 0, left: 0, right: 0 };

interface AxisWindows {
  readonly kernel: number;
  readonly stride: number;
  /** What the first window begins before the image. */
  readonly start: number;
  /** Elements that count. */
  readonly from: number;
  readonly to: number;
}

/** How many elements of each window count. */
function counts(
  count: number,
  { kernel, stride, start, from, to }: AxisWindows,
): readonly number[] {
  return Array.from({ length: count }, (_, index) => {
    const first = index * stride - start;
    return Math.min(first + kernel, to) - Math.max(first, from);
  });
}
