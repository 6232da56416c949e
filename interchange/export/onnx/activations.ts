/**
 * Activations as operators of ONNX, opset 17. Gelu, Mish and Silu are operators only since then.
 */
import type { LayerNodes } from "./node-writer.js";

export const plain = (operator: string) => (nodes: LayerNodes) =>
  nodes.end(operator, [nodes.input()]);

export function leakyRelu(nodes: LayerNodes): void {
  nodes.end("LeakyRelu", [nodes.input()], { alpha: nodes.call.number("slope") });
}

export function elu(nodes: LayerNodes): void {
  nodes.end("Elu", [nodes.input()], { alpha: nodes.call.number("alpha") });
}

export function relu6(nodes: LayerNodes): void {
  nodes.end("Clip", [nodes.input(), nodes.scalar("min", 0), nodes.scalar("max", 6)]);
}

export function clip(nodes: LayerNodes): void {
  const limit = (name: string) =>
    nodes.call.has(name) ? nodes.scalar(name, nodes.call.number(name)) : undefined;
  const [min, max] = [limit("min"), limit("max")];
  nodes.end("Clip", [nodes.input(), min, ...(max === undefined ? [] : [max])]);
}

export function hardsigmoid(nodes: LayerNodes): void {
  const { call } = nodes;
  const line = { alpha: call.number("slope"), beta: call.number("offset") };
  nodes.end("HardSigmoid", [nodes.input()], line);
}

export function silu(nodes: LayerNodes): void {
  const x = nodes.input();
  nodes.end("Mul", [x, nodes.part("gate", "Sigmoid", [x])]);
}

export function mish(nodes: LayerNodes): void {
  const x = nodes.input();
  const softplus = nodes.part("softplus", "Softplus", [x]);
  nodes.end("Mul", [x, nodes.part("gate", "Tanh", [softplus])]);
}

export function softplus(nodes: LayerNodes): void {
  const [beta, threshold] = [nodes.call.number("beta"), nodes.call.number("threshold")];
  const isExact = threshold >= 20;
  if (beta === 1 && isExact) return nodes.end("Softplus", [nodes.input()]);
  const factor = nodes.scalar("beta", beta);
  const scaled = nodes.part("scaled", "Mul", [nodes.input(), factor]);
  const bent = [nodes.part("softplus", "Softplus", [scaled]), factor];
  if (isExact) return nodes.end("Div", bent);
  const isLarge = nodes.part("large", "Greater", [scaled, nodes.scalar("threshold", threshold)]);
  nodes.end("Where", [isLarge, nodes.input(), nodes.part("bent", "Div", bent)]);
}

/** x * 0.5 * (1 + erf(x / sqrt(2))), or with tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)). */
export function gelu(nodes: LayerNodes): void {
  const x = nodes.input();
  const bend =
    nodes.call.text("approximate") === "tanh"
      ? nodes.part("tanh", "Tanh", [cubic(nodes, x)])
      : nodes.part("erf", "Erf", [
          nodes.part("inner", "Mul", [x, nodes.scalar("sqrt1_2", Math.SQRT1_2)]),
        ]);
  const gate = nodes.part("gate", "Add", [bend, nodes.scalar("one", 1)]);
  const product = nodes.part("product", "Mul", [x, gate]);
  nodes.end("Mul", [product, nodes.scalar("half", 0.5)]);
}

function cubic(nodes: LayerNodes, x: string): string {
  const cube = nodes.part("cube", "Pow", [x, nodes.scalar("three", 3)]);
  const small = nodes.part("small", "Mul", [cube, nodes.scalar("share", 0.044715)]);
  const sum = nodes.part("sum", "Add", [x, small]);
  return nodes.part("inner", "Mul", [sum, nodes.scalar("sqrt2_pi", Math.sqrt(2 / Math.PI))]);
}

/** A slope for all, or one for each channel. */
export function prelu(nodes: LayerNodes): void {
  const { call } = nodes;
  const shape = call.flag("per_channel") && call.isImage ? [call.image.channels, 1, 1] : undefined;
  nodes.end("PRelu", [nodes.input(), nodes.parameter("weight", shape)]);
}

export function celu(nodes: LayerNodes): void {
  nodes.end("Celu", [nodes.input()], { alpha: nodes.call.number("alpha") });
}

/** x without what is up to lambd of it: unlike `Shrink`, it passes NaN on. */
export function softshrink(nodes: LayerNodes): void {
  const lambd = nodes.call.number("lambd");
  const limits = [nodes.scalar("min", -lambd), nodes.scalar("max", lambd)];
  const x = nodes.input();
  nodes.end("Sub", [x, nodes.part("clipped", "Clip", [x, ...limits])]);
}

/** 0 where |x| is at most lambd. Comparisons with NaN are false, so it passes NaN on. */
export function hardshrink(nodes: LayerNodes): void {
  const x = nodes.input();
  replaceUpTo(nodes, nodes.part("magnitude", "Abs", [x]), {
    limit: nodes.call.number("lambd"),
    value: 0,
  });
}

export function threshold(nodes: LayerNodes): void {
  const { call } = nodes;
  const settings = { limit: call.number("threshold"), value: call.number("value") };
  replaceUpTo(nodes, nodes.input(), settings);
}

/** The layer's input, with a value where what is compared does not exceed the limit. */
function replaceUpTo(
  nodes: LayerNodes,
  compared: string,
  { limit, value }: { readonly limit: number; readonly value: number },
): void {
  const isSmall = nodes.part("small", "LessOrEqual", [compared, nodes.scalar("limit", limit)]);
  nodes.end("Where", [isSmall, nodes.scalar("value", value), nodes.input()]);
}

/** -softplus(-x). */
export function logsigmoid(nodes: LayerNodes): void {
  const negated = nodes.part("negated", "Neg", [nodes.input()]);
  nodes.end("Neg", [nodes.part("softplus", "Softplus", [negated])]);
}

export function softmin(nodes: LayerNodes): void {
  const negated = nodes.part("negated", "Neg", [nodes.input()]);
  nodes.end("Softmax", [negated], { axis: nodes.call.channelAxis });
}
