/** Where gradients come to in a forward graph: `stop` keeps them from what makes a value. */
import { derivative } from "./expression-derivative.js";
import { isConstant } from "./expression-simplify.js";
import { contains, leaves } from "./expression-transform.js";
import type { Expression } from "./expression.js";
import type { AnyNode, Graph, Parameter, Value } from "./graph.js";

export const hasStop = (expression: Expression) =>
  contains(expression, (part) => part.kind === "unary" && part.operator === "stop");

/**
 * Whether an input of a node gets a gradient of its output: not behind a `stop`, nor as what a loss
 * compares with.
 */
export function passesGradient(node: AnyNode, index: number): boolean {
  if (node.kind === "elementLoss" || node.kind === "labelMean") return index === 0;
  if (node.kind !== "pointwise") return true;
  const { expression } = node.attributes;
  if (!hasStop(expression)) return true;
  const leaf = leaves(expression).find((each) => each.index === index);
  return leaf !== undefined && !isConstant(derivative(expression, leaf), 0);
}

/** The values that the loss depends on: all of them, or those that its gradient comes to. */
function behindLoss({ nodes, metrics }: Graph, passes: typeof passesGradient): ReadonlySet<number> {
  const reached = new Set((metrics[0]?.terms ?? []).map(({ value }) => value.id));
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some(({ id }) => reached.has(id))) continue;
    node.inputs.forEach(({ id }, index) => {
      if (passes(node, index)) reached.add(id);
    });
  }
  return reached;
}

/** Names of the weights that the gradient of the loss comes to. */
export function reachedWeights(graph: Graph): ReadonlySet<string> {
  const reached = behindLoss(graph, passesGradient);
  const names = graph.parameters.flatMap(({ role, value: { id, name } }) =>
    role === "weight" && reached.has(id) ? [name] : [],
  );
  return new Set(names);
}

/** Weights that the loss depends on, and that its gradient does not come to. */
export function stoppedWeights(graph: Graph): readonly Parameter[] {
  const [all, reached] = [behindLoss(graph, () => true), behindLoss(graph, passesGradient)];
  return graph.parameters.filter(
    ({ role, value: { id } }) => role === "weight" && all.has(id) && !reached.has(id),
  );
}

/** What keeps the loss's gradient from a value that it depends on: in the order of the graph. */
export function stopsAfter(graph: Graph, { id }: Value): readonly AnyNode[] {
  const reached = behindLoss(graph, passesGradient);
  const depending = new Set([id]);
  return graph.nodes.filter((node) => {
    const reads = node.inputs.map((input) => depending.has(input.id));
    if (!reads.includes(true)) return false;
    for (const output of node.outputs) depending.add(output.id);
    return (
      node.outputs.some((output) => reached.has(output.id)) &&
      reads.some((isRead, index) => isRead && !passesGradient(node, index))
    );
  });
}
