/** Group normalization as an instance normalization of groups, which opset 17 writes it as. */
import type { ForeignNode, ForeignTensor } from "../foreign-graph.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import { scalarOf } from "../tensors.js";
import type { Recognized } from "./activations.js";
import type { Terms } from "./terms.js";

/** Reshape to [N, groups, ...], normalize, reshape back; times a weight, plus a bias. */
export function groupNorm(node: ForeignNode, terms: Terms): Recognized | undefined {
  if (node.operator === "Reshape") return normalized(node.outputs[0], terms);
  if (node.operator !== "Add") return undefined;
  const [product, bias] = perChannel(node, terms) ?? [];
  const scaling = terms.maker(product, "Mul");
  const [value, weight] = (scaling && perChannel(scaling, terms)) ?? [];
  const found = normalized(value, terms);
  if (!found || weight === undefined || bias === undefined) return undefined;
  // Without weights, PyTorch writes a 1 and a 0.
  const isPlain = terms.number(weight) === 1 && terms.number(bias) === 0;
  return isPlain ? found : { ...found, inputs: [...found.inputs, weight, bias] };
}

function normalized(value: string | undefined, terms: Terms): Recognized | undefined {
  const back = terms.maker(value, "Reshape");
  const normalization = terms.maker(back?.inputs[0], "InstanceNormalization");
  const reshape = terms.maker(normalization?.inputs[0], "Reshape");
  const x = reshape?.inputs[0];
  const apart = terms.constant(reshape?.inputs[1])?.values;
  const groups = apart?.[1];
  const [scale, bias] = [1, 2].map((index) => terms.constant(normalization?.inputs[index]));
  if (!back || !normalization || x === undefined || !apart || !(groups! > 0)) return undefined;
  if (!isAll(scale, 1) || !isAll(bias, 0) || scale?.values.length !== groups) return undefined;
  const isOwnShape = terms.maker(back.inputs[1], "Shape")?.inputs[0] === x;
  const together = terms.constant(back.inputs[1])?.values;
  if (!isOwnShape && !together) return undefined;
  const attributes = withoutUndefined({
    num_groups: groups!,
    epsilon: normalization.attributes["epsilon"] ?? 1e-5,
    apart: [...apart],
    together: together && [...together],
  });
  return { operator: "GroupNormalization", inputs: [x], attributes };
}

const isAll = (tensor: ForeignTensor | undefined, number: number) =>
  tensor?.values.every((value) => value === number) ?? false;

/** A value and a constant `[C, 1, 1]`, in whichever order they are. */
function perChannel(
  { inputs: [a, b] }: ForeignNode,
  terms: Terms,
): readonly [value: string, constant: string] | undefined {
  if (a === undefined || b === undefined) return undefined;
  if (isPerChannel(terms.constant(b))) return [a, b];
  return isPerChannel(terms.constant(a)) ? [b, a] : undefined;
}

function isPerChannel(tensor: ForeignTensor | undefined): boolean {
  if (!tensor) return false;
  const { shape, values } = tensor;
  const isPlanes = shape.length >= 3 && shape.at(-3) === values.length;
  return isPlanes || scalarOf(tensor) !== undefined;
}
