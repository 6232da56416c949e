/** Local response normalization in pieces, with a pool over the channels for its sums. */
import type { ForeignNode } from "../foreign-graph.js";
import type { Recognized } from "./activations.js";
import type { Terms } from "./terms.js";

/** x / (alpha * mean of squares + k)^beta */
export function localResponse(node: ForeignNode, terms: Terms): Recognized | undefined {
  const [x, divisor] = node.operator === "Div" ? node.inputs : [];
  const power = terms.maker(divisor, "Pow");
  const beta = terms.number(power?.inputs[1]);
  if (x === undefined || power?.inputs[0] === undefined || beta === undefined) return undefined;
  const sum = terms.sum(power.inputs[0]);
  const scaled = sum.parts.length === 1 ? terms.product(sum.parts[0]!) : undefined;
  const window = scaled?.parts.length === 1 ? channelMeans(scaled.parts[0]!, x, terms) : undefined;
  if (!scaled || !window) return undefined;
  const attributes = { ...window, alpha: scaled.number, beta, bias: sum.number };
  return { operator: "LRN", inputs: [x], attributes };
}

/**
 * The window of a pool over channels, which are the rows of an image `[N, 1, C, pixels]`; back in
 * `[N, C, H, W]`.
 */
function channelMeans(value: string, x: string, terms: Terms) {
  const back = terms.maker(value, "Reshape");
  const pool = terms.maker(back?.inputs[0], "AveragePool");
  const rows = terms.maker(pool?.inputs[0], "Reshape");
  const square = terms.maker(rows?.inputs[0], "Mul");
  if (!pool || square?.inputs[0] !== x || square.inputs[1] !== x) return undefined;
  const [, one, channels] = terms.constant(rows?.inputs[1])?.values ?? [];
  const together = [...(terms.constant(back?.inputs[1])?.values ?? [])];
  const isKnown = one === 1 && channels !== undefined && together.length === 4;
  if (!isKnown || together[1] !== channels) return undefined;
  const { kernel_shape, pads, strides = [1, 1], count_include_pad: counts } = pool.attributes;
  const [size, width] = numbers(kernel_shape);
  const [top, left, bottom, right] = numbers(pads);
  const isPlain = width === 1 && left === 0 && right === 0 && numbers(strides).join() === "1,1";
  const isWhole = top === Math.floor(size! / 2) && bottom === Math.floor((size! - 1) / 2);
  return isPlain && isWhole && counts === 1 ? { size: size!, before: top, channels } : undefined;
}

const numbers = (value: unknown): readonly number[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === "number") : [];
