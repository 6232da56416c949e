/** Attention in the windows of an image, as operators of ONNX, opset 17. */
import { scaleOfHeads } from "../../../compiler/layers/attention-projection.js";
import { windowsOf } from "../../../compiler/layers/attention-windows.js";
import { AttentionSizes } from "../../../compiler/ops/attention.js";
import type { LayerCall } from "../layer-call.js";
import { product } from "./convolutions.js";
import type { LayerNodes } from "./node-writer.js";

/** How pixels come into windows: sizes, and the numbers of the pixels window by window. */
interface Windows {
  readonly heads: number;
  readonly channels: number;
  /** Of the image that windows fill. */
  readonly height: number;
  readonly width: number;
  readonly count: number;
  readonly area: number;
  readonly pixels: readonly number[];
  readonly sizes: AttentionSizes;
}

/** Channels last, zeros up to whole windows, and back. */
export function windowAttention(nodes: LayerNodes): void {
  const { call } = nodes;
  const windows = windowsIn(nodes);
  const { channels, height, width, count, area } = windows;
  const last = nodes.part("last", "Transpose", [nodes.input()], { perm: [0, 2, 3, 1] });
  const [down, across] = [height - call.image.height, width - call.image.width];
  const pads = nodes.integers("pads", [0, 0, 0, 0, 0, down, across, 0]);
  const padded = nodes.part("padded", "Pad", [last, pads], { mode: "constant" });
  const rows = nodes.part("rows", "Reshape", [
    padded,
    nodes.integers("as_rows", [0, height * width, channels]),
  ]);
  const order = nodes.integers("order", windows.pixels);
  const ordered = nodes.part("ordered", "Gather", [rows, order], { axis: 1 });
  const bias = (part: string) => (call.flag("bias") ? part : undefined);
  const projected = product(nodes, ordered, {
    weight: "qkv.weight",
    bias: bias("qkv.bias"),
    output: "projected",
    sizes: [3 * channels, channels],
  });
  const attended = attendedOf(nodes, projected, windows);
  const joined = nodes.part("joined", "Reshape", [
    attended,
    nodes.integers("together", [0, count * area, channels]),
  ]);
  const places = nodes.integers("places", placesOf(nodes, windows));
  const back = nodes.part("back", "Gather", [joined, places], { axis: 1 });
  const made = product(nodes, back, {
    weight: "proj.weight",
    bias: bias("proj.bias"),
    output: "made",
    sizes: [channels, channels],
  });
  const first = nodes.part("first", "Transpose", [made], { perm: [0, 2, 1] });
  const shape = [0, channels, call.image.height, call.image.width];
  nodes.end("Reshape", [first, nodes.integers("shape", shape)]);
}

/** What products of queries and keys are multiplied by. */
export const scaleOf = (call: LayerCall): number =>
  call.has("scale")
    ? call.number("scale")
    : scaleOfHeads(call.image.channels, call.number("heads"));

function windowsIn({ call }: LayerNodes): Windows {
  const { channels, height, width } = call.image;
  const [size, heads] = [call.pair("window"), call.number("heads")];
  const [rows, columns] = [height, width].map(
    (pixels, axis) => Math.ceil(pixels / size[axis]!) * size[axis]!,
  ) as [number, number];
  const window = windowsOf(["N", channels, rows, columns], size, call.pair("shift"));
  const attributes = { heads, causal: false, scale: scaleOf(call), window };
  const sizes = new AttentionSizes([1, 3 * channels, rows, columns], attributes);
  const area = size[0] * size[1];
  const pixels = Array.from({ length: rows * columns }, (_, place) => {
    const [at, inside] = [Math.floor(place / area), place % area];
    const across = columns / size[1];
    const y = Math.floor(at / across) * size[0] + Math.floor(inside / size[1]) + window.shift[0];
    const x = (at % across) * size[1] + (inside % size[1]) + window.shift[1];
    return (y % rows) * columns + (x % columns);
  });
  const count = pixels.length / area;
  return { heads, channels, height: rows, width: columns, count, area, pixels, sizes };
}

/** For each pixel of the image without its padding, where it is window by window. */
function placesOf({ call }: LayerNodes, { pixels, width }: Windows): readonly number[] {
  const placeOf = new Map(pixels.map((pixel, place) => [pixel, place]));
  return Array.from({ length: call.image.height * call.image.width }, (_, pixel) => {
    const y = Math.floor(pixel / call.image.width);
    return placeOf.get(y * width + (pixel % call.image.width))!;
  });
}

/** `[N, T, 3 * C]`, window by window, as `[N, windows, area, heads, C / heads]`. */
function attendedOf(nodes: LayerNodes, projected: string, windows: Windows): string {
  const { heads, channels, count, area } = windows;
  const shape = nodes.integers("apart", [0, count, area, 3, heads, channels / heads]);
  const apart = nodes.part("parts", "Reshape", [projected, shape]);
  const all = nodes.part("heads", "Transpose", [apart], { perm: [3, 0, 1, 4, 2, 5] });
  const [queries, keys, values] = ["queries", "keys", "values"].map((name, index) =>
    nodes.part(name, "Gather", [all, nodes.index(`${name}_index`, index)], { axis: 0 }),
  ) as [string, string, string];
  const turned = nodes.part("keys_turned", "Transpose", [keys], { perm: [0, 1, 2, 4, 3] });
  const products = nodes.part("products", "MatMul", [queries, turned]);
  const factor = nodes.scalar("factor", scaleOf(nodes.call));
  const scores = nodes.part("scores", "Mul", [products, factor]);
  const gained = nodes.part("gained", "Add", [scores, gainsOf(nodes, windows)]);
  const shares = nodes.part("shares", "Softmax", [seenOf(nodes, gained, windows)], { axis: -1 });
  const attended = nodes.part("attended", "MatMul", [shares, values]);
  return nodes.part("attended_rows", "Transpose", [attended], { perm: [0, 1, 3, 2, 4] });
}

/** What pairs of a window gain, for each head: the same in all windows. */
function gainsOf(nodes: LayerNodes, { heads, area }: Windows): string {
  const { values } = nodes.call.tensor("relative_position_bias_table");
  const [height, width] = nodes.call.pair("window");
  const gains = Float32Array.from({ length: heads * area * area }, (_, place) => {
    const [head, query] = [Math.floor(place / area / area), Math.floor(place / area) % area];
    const key = place % area;
    const down = Math.floor(query / width) - Math.floor(key / width) + height - 1;
    const across = (query % width) - (key % width) + width - 1;
    return values[(down * (2 * width - 1) + across) * heads + head]!;
  });
  return nodes.floats("gains", [heads, area, area], gains);
}

/** Pixels of a window that only meet around the border of the image do not see each other. */
function seenOf(
  nodes: LayerNodes,
  scores: string,
  { sizes, pixels, count, area }: Windows,
): string {
  if (sizes.attributes.window!.shift.every((shift) => shift === 0)) return scores;
  const seen = pixels.map((pixel) => new Set(sizes.seenBy(pixel).map(({ token }) => token)));
  const mask = Float32Array.from({ length: count * area * area }, (_, place) => {
    const query = Math.floor(place / area);
    const key = Math.floor(query / area) * area + (place % area);
    return seen[query]!.has(pixels[key]!) ? 0 : -Infinity;
  });
  return nodes.part("seen", "Add", [scores, nodes.floats("mask", [count, 1, area, area], mask)]);
}
