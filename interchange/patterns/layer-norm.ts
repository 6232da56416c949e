/** Layer normalization in its nine pieces, as PyTorch writes it below opset 17. */
import type { ForeignNode } from "../foreign-graph.js";
import type { Recognized } from "./activations.js";
import type { Terms } from "./terms.js";

/** (x - mean) / sqrt(mean((x - mean)^2) + eps), times a weight, plus a bias. */
export function layerNorm(node: ForeignNode, terms: Terms): Recognized | undefined {
  if (node.operator !== "Add") return undefined;
  const [scaled, bias] = splitConstant(node, terms) ?? [];
  const product = terms.maker(scaled, "Mul");
  const [normalized, weight] = (product && splitConstant(product, terms)) ?? [];
  const division = terms.maker(normalized, "Div");
  if (!division || weight === undefined || bias === undefined) return undefined;
  const [centered, deviation] = division.inputs;
  const epsilon = epsilonOf(deviation, centered, terms);
  const x = terms.maker(centered, "Sub")?.inputs[0];
  if (epsilon === undefined || x === undefined) return undefined;
  const attributes = { axis: -1, epsilon };
  return { operator: "LayerNormalization", inputs: [x, weight, bias], attributes };
}

/** The value and the constant of a sum or product, in whichever order they are. */
function splitConstant(
  { inputs: [a, b] }: ForeignNode,
  terms: Terms,
): readonly [value: string, constant: string] | undefined {
  if (a === undefined || b === undefined) return undefined;
  if (isVector(b, terms)) return [a, b];
  return isVector(a, terms) ? [b, a] : undefined;
}

const isVector = (name: string, terms: Terms) => terms.constant(name)?.shape.length === 1;

/** The eps of sqrt(mean(centered^2) + eps), where centered is x less its own mean. */
function epsilonOf(
  deviation: string | undefined,
  centered: string | undefined,
  terms: Terms,
): number | undefined {
  const root = terms.maker(deviation, "Sqrt")?.inputs[0];
  if (root === undefined || centered === undefined) return undefined;
  const { number, parts } = terms.sum(root);
  const variance = meanOfLast(parts[0], terms);
  const difference = terms.maker(centered, "Sub");
  const isCentered = meanOfLast(difference?.inputs[1], terms) === difference?.inputs[0];
  if (parts.length !== 1 || !difference || !isCentered || number <= 0) return undefined;
  return isSquareOf(variance, difference, terms) ? number : undefined;
}

/** What a `ReduceMean` over the last axis is of. */
function meanOfLast(value: string | undefined, terms: Terms): string | undefined {
  const mean = terms.maker(value, "ReduceMean");
  const { axes = terms.constant(mean?.inputs[1])?.values, keepdims = 1 } = mean?.attributes ?? {};
  const isLast =
    typeof axes === "object" && "length" in axes && axes.length === 1 && axes[0] === -1;
  return isLast && keepdims === 1 ? mean?.inputs[0] : undefined;
}

/** The square of a difference, which files may compute a second time. */
function isSquareOf(value: string | undefined, difference: ForeignNode, terms: Terms): boolean {
  const power = terms.maker(value, "Pow");
  const product = terms.maker(value, "Mul");
  const base = power && terms.number(power.inputs[1]) === 2 ? power.inputs[0] : product?.inputs[0];
  if (product && product.inputs[1] !== base) return false;
  const again = terms.maker(base, "Sub");
  return again !== undefined && again.inputs.join() === difference.inputs.join();
}
