import { adaptiveWindows, evenWindows, hasOverhang, hasPadding } from "../pool-windows.js";
import { paddingWithOverhang, poolWindows, type PoolWindows } from "../pool-windows.js";
import { withoutUndefined } from "../../../program/without-undefined.js";
import { spanOf } from "../../../compiler/layers/windows.js";
import { sidesOf, type LayerNodes } from "./node-writer.js";
import { sliceInputs } from "./parts.js";

/**
 * Padding never wins, so what `ceil` adds may be padding, too. `ceil_mode` is written where it
 * means the same to every reader: some forget that a window must start inside the image.
 */
export function maxpool(nodes: LayerNodes): void {
  const windows = poolWindows(nodes.call);
  const { dilation } = windows;
  const dilations = dilation.some((step) => step > 1) ? dilation : undefined;
  const attributes = attributesOf(windows, roundingOf(nodes, windows));
  nodes.end("MaxPool", [nodes.input()], { ...attributes, ...withoutUndefined({ dilations }) });
}

/** Windows of different sizes: the maxima of their rows, and of these those of their columns. */
export function adaptiveMaxpool(nodes: LayerNodes): void {
  const [rows, columns] = nodes.call.pair("size");
  const { height, width } = nodes.call.image;
  if (rows === 1 && columns === 1) return nodes.end("GlobalMaxPool", [nodes.input()]);
  const [vertical, horizontal] = [evenWindows(height, rows), evenWindows(width, columns)];
  if (vertical && horizontal) {
    return nodes.end("MaxPool", [nodes.input()], {
      kernel_shape: [vertical.kernel, horizontal.kernel],
      strides: [vertical.stride, horizontal.stride],
    });
  }
  const tall = maximaAlong(nodes, nodes.input(), { axis: 2, size: height, count: rows });
  const joined = nodes.part("tall", "Concat", tall, { axis: 2 });
  const wide = maximaAlong(nodes, joined, { axis: 3, size: width, count: columns });
  nodes.end("Concat", wide, { axis: 3 });
}

function maximaAlong(
  nodes: LayerNodes,
  x: string,
  { axis, size, count }: { readonly axis: number; readonly size: number; readonly count: number },
): readonly string[] {
  return adaptiveWindows(size, count).map(([start, end], index) => {
    const name = `axis${axis}/${index}`;
    const cut = sliceInputs(nodes, name, [{ axis, start, end, step: 1 }], x);
    const part = nodes.part(`${name}/part`, "Slice", cut);
    return nodes.part(name, "ReduceMax", [part], { axes: [axis], keepdims: 1 });
  });
}

/** In ONNX, either all or none of the padding in `pads` counts; overhang must never count. */
export function avgpool(nodes: LayerNodes): void {
  const windows = poolWindows(nodes.call);
  if (nodes.call.has("divisor")) return averageByDivisor(nodes, windows);
  const counts = nodes.call.flag("count_padding") && hasPadding(windows.padding);
  if (!counts || !hasOverhang(windows)) {
    const attributes = attributesOf(windows, roundingOf(nodes, windows));
    return nodes.end("AveragePool", [nodes.input()], {
      ...attributes,
      ...withoutUndefined({ count_include_pad: counts ? 1 : undefined }),
    });
  }
  const { top, left, bottom, right } = windows.padding;
  const pads = nodes.integers("pads", [0, 0, top, left, 0, 0, bottom, right]);
  const padded = nodes.part("padded", "Pad", [nodes.input(), pads], { mode: "constant" });
  const { overhang } = windows;
  const rest = { ...windows, padding: { top: 0, left: 0, ...overhang } };
  nodes.end("AveragePool", [padded], attributesOf(rest, {}));
}

/** The mean of all of a window, what is outside of the image included, times a factor. */
function averageByDivisor(nodes: LayerNodes, windows: PoolWindows): void {
  const { kernel } = windows;
  const padding = paddingWithOverhang(windows);
  const whole = { ...attributesOf({ ...windows, padding }, {}), count_include_pad: 1 };
  const means = nodes.part("means", "AveragePool", [nodes.input()], whole);
  const factor = (kernel[0] * kernel[1]) / nodes.call.number("divisor");
  nodes.end("Mul", [means, nodes.scalar("factor", factor)]);
}

/**
 * From means of powers, as PyTorch computes it: `LpPool` takes magnitudes and has no `ceil_mode`
 * before opset 18.
 */
export function lpPool(nodes: LayerNodes): void {
  const { call } = nodes;
  const power = call.number("p");
  const windows = poolWindows(call);
  const powers = nodes.part("powers", "Pow", [nodes.input(), nodes.scalar("power", power)]);
  const attributes = attributesOf(windows, roundingOf(nodes, windows));
  const means = nodes.part("means", "AveragePool", [powers], attributes);
  const [rows, columns] = windows.kernel;
  const sums = nodes.part("sums", "Mul", [means, nodes.scalar("area", rows * columns)]);
  nodes.end("Pow", [sums, nodes.scalar("root", 1 / power)]);
}

interface Rounding {
  readonly pads?: readonly number[];
  readonly ceil_mode?: number;
}

function attributesOf({ kernel, stride, padding }: PoolWindows, rounding: Rounding) {
  return { kernel_shape: kernel, strides: stride, pads: sidesOf(padding), ...rounding };
}

/** How the overhang is said: by `ceil_mode`, or as padding where only one axis has one. */
function roundingOf({ call }: LayerNodes, windows: PoolWindows): Rounding {
  if (!hasOverhang(windows)) return {};
  const { stride, padding } = windows;
  const span = spanOf(windows);
  const { height, width } = call.image;
  const ceiled = [
    Math.ceil((height + padding.top + padding.bottom - span[0]) / stride[0]) + 1,
    Math.ceil((width + padding.left + padding.right - span[1]) / stride[1]) + 1,
  ];
  const isPlain = ceiled.every((size, axis) => size === call.output[axis + 2]);
  return isPlain ? { ceil_mode: 1 } : { pads: sidesOf(paddingWithOverhang(windows)) };
}

export function globalAvgpool(nodes: LayerNodes): void {
  if (!nodes.call.isSequence) return nodes.end("GlobalAveragePool", [nodes.input()]);
  nodes.end("ReduceMean", [nodes.input()], { axes: [1], keepdims: 0 });
}

export function adaptiveAvgpool(nodes: LayerNodes): void {
  const [rows, columns] = nodes.call.pair("size");
  const { height, width } = nodes.call.image;
  if (rows === height && columns === width) return nodes.pass();
  if (rows === 1 && columns === 1) return globalAvgpool(nodes);
  const [vertical, horizontal] = [evenWindows(height, rows), evenWindows(width, columns)];
  if (!vertical || !horizontal) return averageByMatrices(nodes);
  nodes.end("AveragePool", [nodes.input()], {
    kernel_shape: [vertical.kernel, horizontal.kernel],
    strides: [vertical.stride, horizontal.stride],
  });
}

/** Windows of different sizes: rows and columns are averaged by a product with a matrix each. */
function averageByMatrices(nodes: LayerNodes): void {
  const [rows, columns] = nodes.call.pair("size");
  const { height, width } = nodes.call.image;
  const left = nodes.floats("rows", [rows, height], shares(height, rows, [height, 1]));
  const right = nodes.floats("columns", [width, columns], shares(width, columns, [1, columns]));
  nodes.end("MatMul", [nodes.part("averaged", "MatMul", [left, nodes.input()]), right]);
}

/**
 * What each element counts in each window; steps of a matrix from window to window, to the next.
 */
function shares(
  size: number,
  count: number,
  [perWindow, perElement]: readonly [number, number],
): Float32Array {
  const matrix = new Float32Array(size * count);
  adaptiveWindows(size, count).forEach(([start, end], window) => {
    for (let at = start; at < end; at++) {
      matrix[window * perWindow + at * perElement] = 1 / (end - start);
    }
  });
  return matrix;
}
