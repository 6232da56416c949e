import type { AnyNode, RearrangeAttributes, Value } from "../ir/graph.js";
import { composed, isReshape, isValueItself, orderOf, type Moving } from "../ir/rearrangement.js";
import { isSequence, type Shape } from "../ir/shape.js";
import { ActivationLayout } from "../layout/activation-layout.js";
import { isOfQuads, partTaken } from "../layout/parts.js";
import { keepsPlaces } from "../layout/strides.js";
import type { Uses } from "../ir/uses.js";
import type { Rule } from "./rewrite.js";

/** A value, and the order in which its elements are taken. */
interface Taken {
  readonly from: Value;
  readonly order: RearrangeAttributes;
}

/**
 * Elements that are moved several times, one time after the other, are moved once, and not at all
 * where they come to lie as they did. What only names a value in another way counts for nothing: it
 * stays, unless fewer values are moved without it.
 */
export const fewerMoves: Rule<Moving> = (node, uses) => {
  const taken = bestOf(node, uses);
  if (!taken) return undefined;
  const { from, order } = taken;
  if (isValueItself(from, order)) return () => [from];
  if (!isReshape(from, order))
    return (builder) => [builder.add("rearrange", [from], order, node.origin)];
  const { shape } = order;
  return (builder) => [builder.add("reshape", [from], { shape }, node.origin)];
};

/** Among the values that a node's elements come from, the one that spares most moves. */
function bestOf(node: AnyNode, uses: Uses): Taken | undefined {
  let best: Taken | undefined;
  let mostSpared = 0;
  for (const { spared, ...taken } of takenBy(node, uses)) {
    const saved = spared - movesOf(taken);
    if (saved <= mostSpared && !(saved === 0 && !best && isValueItself(taken.from, taken.order)))
      continue;
    best = taken;
    mostSpared = saved;
  }
  return best;
}

/** What a node takes from its input, and from that which this is made of, and so on. */
function* takenBy(node: AnyNode, uses: Uses): Generator<Taken & { readonly spared: number }> {
  let spared = 0;
  let isLastReader = true;
  let order: RearrangeAttributes | undefined;
  for (let at: AnyNode | undefined = node; at; at = uses.maker(at.inputs[0]!)) {
    const own = orderOf(at);
    order = order && own ? composed(order, own) : own;
    if (!own || !order) return;
    const from: Value = at.inputs[0]!;
    if (isLastReader) spared += movesOf({ from, order: own });
    yield { from, order, spared };
    isLastReader &&= uses.isReadOnlyBy(from, at);
  }
}

/** Dispatches that a move takes, as values lie that no reader needs to lie otherwise. */
function movesOf({ from, order }: Taken): number {
  return isFree(from, order) ? 0 : 1;
}

function isFree(whole: Pick<Value, "shape">, order: RearrangeAttributes): boolean {
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
