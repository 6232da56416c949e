import { GraphBuilder } from "../ops/builder.js";
import {
  portsOf,
  type AnyNode,
  type Graph,
  type Node,
  type ScoreTerm,
  type Value,
} from "../ir/graph.js";

/**
 * A forward graph for images that are mixtures of two: its losses are of the labels of both, each
 * by its share (mixup, arXiv:1710.09412; CutMix, arXiv:1905.04899). Metrics stay those of the first
 * label. A graph without labels is left as it is. Throws for several targets, which no source of
 * data mixes.
 */
export function mixLabels(graph: Graph): Graph {
  const [labels, ...others] = portsOf(graph, "target");
  if (others.length > 0) throw new Error(`${graph.name}: only one target can be mixed`);
  if (labels?.type !== "u32") return graph;
  const builder = GraphBuilder.withoutNodes(graph);
  const mixture = builder.mixture(labels);
  /** Of losses by class weights: the partners' part, by the loss's value. */
  const partnersOf = new Map<Value, Value>();
  for (const node of graph.nodes) {
    if (node.kind === "crossEntropy") mixLoss(node, mixture, builder, partnersOf);
    else builder.keep(node);
  }
  const metrics = graph.metrics.map((score) => ({
    ...score,
    terms: score.terms.flatMap((term) => withPartners(term, partnersOf)),
  }));
  return builder.finish({ ...graph, metrics });
}

function mixLoss(
  node: AnyNode & Node<"crossEntropy">,
  { partners, shares }: ReturnType<GraphBuilder["mixture"]>,
  builder: GraphBuilder,
  partnersOf: Map<Value, Value>,
): void {
  const { attributes, origin } = node;
  const inputs = [...node.inputs, partners, shares];
  const [loss] = node.outputs as [Value];
  if (!attributes.classWeights) return builder.keep({ ...node, inputs });
  const partnersLoss = builder.like(loss, `${loss.name} of partners`);
  builder.keep({ ...node, inputs, outputs: [loss, partnersLoss], origin });
  partnersOf.set(loss, partnersLoss);
}

/** Labels and partners weigh differently: each part of the loss is a separate mean. */
function withPartners(
  term: ScoreTerm,
  partnersOf: ReadonlyMap<Value, Value>,
): readonly ScoreTerm[] {
  const value = partnersOf.get(term.value);
  if (!value || !term.over) return [term];
  return [term, { ...term, value, over: { ...term.over, of: "partners" } }];
}
