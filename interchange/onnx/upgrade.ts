/** Operators of older opsets, and of newer ones, as those of opset 17. */
import type { ForeignNode, ForeignTensor } from "../foreign-graph.js";
import { floats, integers } from "../tensors.js";

type Constants = Map<string, ForeignTensor>;

/** The nodes that say the same; new constants are added to `constants`. */
export function upgrade(
  node: ForeignNode,
  opset: number,
  constants: Constants,
): readonly ForeignNode[] {
  switch (node.operator) {
    case "Clip":
      return [opset < 11 ? withInputs(node, constants, CLIP) : node];
    case "Pad":
      return [opset < 11 ? withInputs(node, constants, PAD) : node];
    case "Slice":
      return [opset < 10 ? withInputs(node, constants, SLICE) : node];
    case "Softmax":
      return [opset < 13 ? flattening(node) : node];
    case "Upsample":
      return [resized(withInputs(node, constants, UPSAMPLE))];
    case "Resize":
      return [opset < 11 ? resized(node) : node];
    case "GroupNormalization":
      return [opset < 21 ? perGroup(node) : node];
    case "Dropout":
    case "BatchNormalization":
      return [without(node, "is_test", "consumed_inputs")];
    default:
      return [node];
  }
}

interface Moved {
  readonly attribute: string;
  readonly kind: "int" | "float";
  readonly otherwise?: number;
}

const CLIP: readonly Moved[] = [
  { attribute: "min", kind: "float" },
  { attribute: "max", kind: "float" },
];
const PAD: readonly Moved[] = [
  { attribute: "pads", kind: "int" },
  { attribute: "value", kind: "float", otherwise: 0 },
];
const SLICE: readonly Moved[] = [
  { attribute: "starts", kind: "int" },
  { attribute: "ends", kind: "int" },
  { attribute: "axes", kind: "int" },
];
const UPSAMPLE: readonly Moved[] = [{ attribute: "scales", kind: "float" }];

/** Attributes that are inputs since: they follow the first input, in this order. */
function withInputs(node: ForeignNode, constants: Constants, moved: readonly Moved[]): ForeignNode {
  const added = moved.map(({ attribute, kind, otherwise }) => {
    const value = node.attributes[attribute] ?? otherwise;
    if (typeof value !== "number" && !Array.isArray(value)) return undefined;
    const numbers = (Array.isArray(value) ? value : [value]) as readonly number[];
    const shape = Array.isArray(value) ? [numbers.length] : [];
    const name = `${node.outputs[0]}/${attribute}`;
    constants.set(name, kind === "int" ? integers(shape, numbers) : floats(shape, numbers));
    return name;
  });
  if (added.every((name) => name === undefined)) return node;
  const [first, ...others] = node.inputs;
  const plain = without(node, ...moved.map(({ attribute }) => attribute));
  return { ...plain, inputs: [first, ...(others.length > 0 ? others : added)] };
}

/** Before opset 21 its scale is of a group, not of a channel. */
const perGroup = (node: ForeignNode): ForeignNode => ({
  ...node,
  attributes: { ...node.attributes, per_group: 1 },
});

/** Before opset 13 softmax goes over all axes from `axis` on, which is 1 by default. */
function flattening(node: ForeignNode): ForeignNode {
  return { ...node, attributes: { axis: 1, ...node.attributes, flattens: 1 } };
}

/** `Upsample`, and `Resize` of opset 10: input and scales, pixels by floor. */
function resized(node: ForeignNode): ForeignNode {
  const [image, scales] = node.inputs;
  const rule = { coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" };
  return {
    ...node,
    operator: "Resize",
    calledThere: node.operator,
    inputs: [image, undefined, scales],
    attributes: { ...node.attributes, ...rule },
  };
}

function without(node: ForeignNode, ...names: readonly string[]): ForeignNode {
  const kept = Object.entries(node.attributes).filter(([name]) => !names.includes(name));
  return { ...node, attributes: Object.fromEntries(kept) };
}
