/** Activations that arrive in pieces. */
import type { ForeignAttributes, ForeignNode } from "../foreign-graph.js";
import { isAbout, type Terms } from "./terms.js";

/** One operator in place of several: the node that ends the pattern becomes it. */
export interface Recognized {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly attributes?: ForeignAttributes;
  /** The node that names the layer, where that is not the last one. */
  readonly from?: ForeignNode;
}

/** What a product is, if it is an activation. */
export function activation(node: ForeignNode, terms: Terms): Recognized | undefined {
  const [output] = node.outputs;
  if (output === undefined || !["Mul", "Div"].includes(node.operator)) return undefined;
  const { number, parts } = terms.product(output);
  const [first, second] = parts;
  if (parts.length === 1) return hardSigmoid(first!, number, terms);
  if (parts.length !== 2) return undefined;
  return gated(first!, second!, number, terms) ?? gated(second!, first!, number, terms);
}

/** min(max(x + 3, 0), 6) / 6 */
function hardSigmoid(part: string, number: number, terms: Terms): Recognized | undefined {
  const x = isAbout(number, 1 / 6) ? clippedAfter3(part, terms) : undefined;
  if (x === undefined) return undefined;
  return { operator: "HardSigmoid", inputs: [x], attributes: { alpha: 1 / 6, beta: 0.5 } };
}

/** The x of min(max(x + 3, 0), 6). */
function clippedAfter3(value: string, terms: Terms): string | undefined {
  const clip = terms.maker(value, "Clip");
  const [shifted, least, most] = clip?.inputs ?? [];
  if (shifted === undefined || terms.number(least) !== 0 || terms.number(most) !== 6) {
    return undefined;
  }
  const { number, parts } = terms.sum(shifted);
  return number === 3 && parts.length === 1 ? parts[0] : undefined;
}

/** x times a function of x. */
function gated(x: string, gate: string, number: number, terms: Terms): Recognized | undefined {
  const is = (operator: string, attributes: ForeignAttributes = {}) =>
    ({ operator, inputs: [x], attributes }) as const;
  if (isAbout(number, 1 / 6) && clippedAfter3(gate, terms) === x) return is("HardSwish");
  if (isAbout(number, 0.5)) {
    const form = geluForm(x, gate, terms);
    return form && is("Gelu", { approximate: form });
  }
  if (number !== 1) return undefined;
  if (terms.maker(gate, "Sigmoid")?.inputs[0] === x) return is("Silu");
  const hard = terms.maker(gate, "HardSigmoid");
  const { alpha = 0.2, beta = 0.5 } = hard?.attributes ?? {};
  if (hard?.inputs[0] === x && isAbout(Number(alpha), 1 / 6) && isAbout(Number(beta), 0.5)) {
    return is("HardSwish");
  }
  const tanh = terms.maker(gate, "Tanh");
  return terms.maker(tanh?.inputs[0], "Softplus")?.inputs[0] === x ? is("Mish") : undefined;
}

/** 1 + erf(x / sqrt(2)), or 1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)). */
function geluForm(x: string, gate: string, terms: Terms): "none" | "tanh" | undefined {
  const { number, parts } = terms.sum(gate);
  if (number !== 1 || parts.length !== 1) return undefined;
  const erf = terms.maker(parts[0], "Erf");
  if (erf) {
    const inner = terms.product(erf.inputs[0]!);
    const isScaled = isAbout(inner.number, Math.SQRT1_2) && inner.parts.length === 1;
    return isScaled && inner.parts[0] === x ? "none" : undefined;
  }
  const tanh = terms.maker(parts[0], "Tanh");
  return tanh && isCubic(tanh.inputs[0]!, x, terms) ? "tanh" : undefined;
}

function isCubic(value: string, x: string, terms: Terms): boolean {
  const outer = terms.product(value);
  if (!isAbout(outer.number, Math.sqrt(2 / Math.PI)) || outer.parts.length !== 1) return false;
  const { number, parts } = terms.sum(outer.parts[0]!);
  const other = parts.find((part) => part !== x);
  if (number !== 0 || parts.length !== 2 || !parts.includes(x) || other === undefined) return false;
  const cube = terms.product(other);
  if (!isAbout(cube.number, 0.044715)) return false;
  if (cube.parts.length === 3) return cube.parts.every((part) => part === x);
  const power = terms.maker(cube.parts[0], "Pow");
  return cube.parts.length === 1 && power?.inputs[0] === x && terms.number(power.inputs[1]) === 3;
}
