/** Tokens, attention and trained numbers as operators of ONNX, opset 17. */
import { convolution, product } from "./convolutions.js";
import { turnedMatrices } from "../../tensors.js";
import { permutedAxes, transposedAxes } from "../parts.js";
import type { LayerNodes } from "./node-writer.js";
import { scaleOf, windowAttention } from "./windows.js";

/** An image's pixels, row by row, as tokens. */
export function tokens(nodes: LayerNodes): void {
  pixelsLast(nodes, nodes.input());
}

/** A sequence, features or an image of one row as an image of one row. */
export function signal(nodes: LayerNodes): void {
  const { call } = nodes;
  if (call.rank === 4) return nodes.pass();
  const shape = nodes.integers("shape", [0, ...call.output.slice(1).map(Number)]);
  const image = call.isSequence
    ? nodes.part("first", "Transpose", [nodes.input()], { perm: [0, 2, 1] })
    : nodes.input();
  nodes.end("Reshape", [image, shape]);
}

/** Rows of the table by tokens. */
export function embedding(nodes: LayerNodes): void {
  nodes.end("Gather", [nodes.weight("weight"), nodes.input()], { axis: 0 });
}

/** A convolution whose windows are the patches. */
export function patches(nodes: LayerNodes): void {
  const size = nodes.call.number("size");
  const window = { kernel_shape: [size, size], strides: [size, size] };
  pixelsLast(nodes, nodes.part("patches", "Conv", convolution(nodes), window));
}

/** `[N, C, H, W]` becomes `[N, H*W, C]`. */
function pixelsLast(nodes: LayerNodes, image: string): void {
  const [, count, channels] = nodes.call.output.map(Number);
  const shape = nodes.integers("pixels", [0, channels!, count!]);
  const flat = nodes.part("flat", "Reshape", [image, shape]);
  nodes.end("Transpose", [flat], { perm: [0, 2, 1] });
}

export function token(nodes: LayerNodes): void {
  const index = nodes.index("index", nodes.call.number("index"));
  nodes.end("Gather", [nodes.input(), index], { axis: 1 });
}

export function transpose(nodes: LayerNodes): void {
  const perm = transposedAxes(nodes.call);
  nodes.end("Transpose", [nodes.input()], { perm });
}

export function permute(nodes: LayerNodes): void {
  nodes.end("Transpose", [nodes.input()], { perm: permutedAxes(nodes.call) });
}

export function matmul(nodes: LayerNodes): void {
  const other = nodes.input(1);
  const perm = turnedMatrices(nodes.call.inputShapes[1]!.length);
  const right = nodes.call.flag("transposed")
    ? nodes.part("turned", "Transpose", [other], { perm })
    : other;
  nodes.end("MatMul", [nodes.input(), right]);
}

/** The same numbers for as many examples as the first input has. */
export function parameter(nodes: LayerNodes): void {
  const { call } = nodes;
  const sizes = call.output.slice(1).map(Number);
  const { name, values } = call.ownTensor();
  const row = nodes.writer.floats(`parameter/${name}`, [1, ...sizes], values);
  const batch = nodes.part("batch", "Shape", [call.model.network.inputs[0]!.name], {
    start: 0,
    end: 1,
  });
  const parts = [batch, nodes.integers("sizes", sizes)];
  const shape = nodes.part("shape", "Concat", parts, { axis: 0 });
  nodes.end("Expand", [row, shape]);
}

/** `softmax(scale q k) v` between two linear layers, as the layer has it. */
export function attention(nodes: LayerNodes): void {
  const { call } = nodes;
  if (call.has("window")) {
    windowAttention(nodes);
    return;
  }
  const { channels, width: count } = call.image;
  const heads = call.number("heads");
  const bias = (part: string) => (call.flag("bias") ? part : undefined);
  const projected = product(nodes, nodes.input(), {
    weight: "in_proj_weight",
    bias: bias("in_proj_bias"),
    output: "projected",
  });
  const [queries, keys, values] = headsOf(nodes, projected, [count, heads, channels / heads]);
  const turned = nodes.part("keys_turned", "Transpose", [keys], { perm: [0, 1, 3, 2] });
  const products = nodes.part("products", "MatMul", [queries, turned]);
  const factor = nodes.scalar("factor", scaleOf(call));
  const scores = nodes.part("scores", "Mul", [products, factor]);
  const seen = call.flag("causal") ? withoutLater(nodes, scores, count) : scores;
  const shares = nodes.part("shares", "Softmax", [seen], { axis: -1 });
  const attended = nodes.part("attended", "MatMul", [shares, values]);
  const rows = nodes.part("rows", "Transpose", [attended], { perm: [0, 2, 1, 3] });
  const shape = nodes.integers("together", [0, count, channels]);
  const together = nodes.part("joined", "Reshape", [rows, shape]);
  product(nodes, together, { weight: "out_proj.weight", bias: bias("out_proj.bias") });
}

/** `[N, T, 3 * C]` as queries, keys and values `[N, heads, T, C / heads]`. */
function headsOf(
  nodes: LayerNodes,
  projected: string,
  [count, heads, size]: readonly [number, number, number],
): readonly [string, string, string] {
  const shape = nodes.integers("apart", [0, count, 3, heads, size]);
  const apart = nodes.part("parts", "Reshape", [projected, shape]);
  const all = nodes.part("heads", "Transpose", [apart], { perm: [2, 0, 3, 1, 4] });
  const part = (name: string, index: number) =>
    nodes.part(name, "Gather", [all, nodes.index(`${name}_index`, index)], { axis: 0 });
  return [part("queries", 0), part("keys", 1), part("values", 2)];
}

/** A token sees itself and those before it. */
function withoutLater(nodes: LayerNodes, scores: string, count: number): string {
  const mask = Float32Array.from({ length: count * count }, (_, place) => {
    return place % count > Math.floor(place / count) ? -Infinity : 0;
  });
  return nodes.part("seen", "Add", [scores, nodes.floats("mask", [count, count], mask)]);
}
