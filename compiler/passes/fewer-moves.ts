import type { AnyNode, RearrangeAttributes, Value } from "../ir/graph.js";
import { composed, isReshape, isValueItself, orderOf, type Moving } from "../ir/rearrangement.js";
import { isFree } from "../layout/moves.js";
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

/** Dispatches that a move takes. */
const movesOf = ({ from, order }: Taken): number => (isFree(from, order) ? 0 : 1);
