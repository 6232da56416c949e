import type { AnyNode, Graph, Node, OpKind } from "../ir/graph.js";
import type { Uses } from "../ir/uses.js";
import { removeDeadNodes } from "./dead-nodes.js";
import { GraphEditor, type Joined, type Place, type Replacement } from "./graph-editor.js";

/**
 * What a rule makes of a match: nodes built in the node's place, or nodes that take the places of
 * others.
 */
export type Change = Replacement | Joined;

/**
 * Looks at one node, the makers of what it reads, and their readers: the change where the rule
 * applies.
 */
export type Rule<Kind extends OpKind> = (
  node: { [Each in Kind]: Node<Each> }[Kind],
  uses: Uses,
) => Change | undefined;

/**
 * Rules by the kind of node that they look at. Each must leave the graph simpler in some measure.
 */
export type Rules = { readonly [Kind in OpKind]?: readonly Rule<Kind>[] };

/**
 * Applies rules until none applies, earlier nodes and earlier rules first. A change has the rules
 * look again at what it changed, and at nothing else, so that the work grows with the changes and
 * not with the graph.
 */
export function rewrite(graph: Graph, rules: Rules): Graph {
  return rewriteWith(new GraphEditor(removeDeadNodes(graph)), rules).finish();
}

/** The same on a graph that further rules are to change. */
export function rewriteWith(editor: GraphEditor, rules: Rules): GraphEditor {
  // The table's rules are of the node's kind, which TypeScript cannot follow.
  const rulesFor = ({ kind }: AnyNode) => rules[kind] as readonly Rule<OpKind>[] | undefined;
  const matched = (places: readonly Place[]) => places.filter(({ node }) => rulesFor(node));
  const queue = new Queue(matched(editor.order));
  for (let place = queue.take(); place; place = queue.take()) {
    const table = rulesFor(place.node);
    const change = table && visit(place, table, editor);
    if (!change) continue;
    if (typeof change === "function") editor.rebuild(place.node, change);
    else editor.join(change);
    queue.add(matched(editor.takeChanged()));
  }
  return editor;
}

function visit({ node }: Place, rules: readonly Rule<OpKind>[], uses: Uses): Change | undefined {
  for (const rule of rules) {
    const change = rule(node, uses);
    if (change) return change;
  }
  return undefined;
}

/** Places to visit, the first of the graph first: a binary heap. */
class Queue {
  private readonly heap: Place[];
  private readonly queued: Set<Place>;

  constructor(inOrder: readonly Place[]) {
    this.heap = [...inOrder];
    this.queued = new Set(inOrder);
  }

  add(places: readonly Place[]): void {
    for (const place of places) {
      if (this.queued.has(place)) continue;
      this.queued.add(place);
      this.heap.push(place);
      this.rise(this.heap.length - 1);
    }
  }

  /** The first place that is still in the graph. */
  take(): Place | undefined {
    for (let place = this.takeFirst(); place; place = this.takeFirst()) {
      if (!place.isGone) return place;
    }
    return undefined;
  }

  private takeFirst(): Place | undefined {
    const [first] = this.heap;
    const last = this.heap.pop();
    if (!first || !last) return undefined;
    this.queued.delete(first);
    if (first !== last) {
      this.heap[0] = last;
      this.sink(0);
    }
    return first;
  }

  private rise(from: number): void {
    for (let child = from; child > 0;) {
      const parent = (child - 1) >> 1;
      if (this.heap[parent]!.order <= this.heap[child]!.order) return;
      this.swap(parent, child);
      child = parent;
    }
  }

  private sink(from: number): void {
    for (let parent = from; ;) {
      const left = 2 * parent + 1;
      const right = left + 1;
      let least = parent;
      if (this.isBefore(left, least)) least = left;
      if (this.isBefore(right, least)) least = right;
      if (least === parent) return;
      this.swap(parent, least);
      parent = least;
    }
  }

  private isBefore(child: number, parent: number): boolean {
    return child < this.heap.length && this.heap[child]!.order < this.heap[parent]!.order;
  }

  private swap(a: number, b: number): void {
    [this.heap[a], this.heap[b]] = [this.heap[b]!, this.heap[a]!];
  }
}
