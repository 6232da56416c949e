/** What it takes to move elements, as values lie that no reader needs to lie otherwise. */
import type { AnyNode, RearrangeAttributes, Value } from "../ir/graph.js";
import { isReshape, orderOf } from "../ir/rearrangement.js";
import { isSequence, type Shape } from "../ir/shape.js";
import { ActivationLayout, APART } from "./activation-layout.js";
import { isOfQuads, partTaken } from "./parts.js";
import { keepsPlaces } from "./strides.js";
import { takenPlaces } from "./taken-places.js";

type Shaped = Pick<Value, "shape">;

/** Whether nothing is moved: the result is another name for its input, or a part of it. */
export function isFree(whole: Shaped, order: RearrangeAttributes): boolean {
  const shapes = [whole.shape, order.shape] as const;
  const layouts = [new ActivationLayout(shapes[0]), new ActivationLayout(shapes[1])] as const;
  if (keepsPlaces(order, whole.shape, layouts)) return true;
  if (isReshape(whole, order)) return shapes.every(liesInOrder);
  const at = partTaken(whole.shape, order);
  return at !== undefined && isOfQuads({ part: order, whole, at });
}

/** Whether a reshape of such a value is another name for it. */
function liesInOrder(shape: Shape): boolean {
  const { channels, pixels } = new ActivationLayout(shape);
  return pixels === 1 || (isSequence(shape) && channels % 4 === 0);
}

export const isMove = ({ kind }: AnyNode): boolean =>
  kind === "rearrange" || kind === "rearrangeGradient";

/**
 * Whether a node moves elements with a kernel that can do more with them: it finds the place of
 * each in its input, wherever that lies.
 */
export function isTaking(node: AnyNode): boolean {
  if (!isMove(node)) return false;
  if (node.fusion?.epilogue) return true;
  const [from] = node.inputs as [Value];
  const order = orderOf(node);
  if (!order || isFree(from, order)) return false;
  return takenPlaces(order, from.shape, new ActivationLayout(from.shape, APART)) !== undefined;
}
