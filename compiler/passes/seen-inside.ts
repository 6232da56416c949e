/**
 * The graphs of a network that is seen inside: with the value of every layer left to be read, and
 * with the gradient of a weighted sum of the scores with regard to each of them.
 */
import { removeDeadNodes } from "./dead-nodes.js";
import { backpropagate, Gradients } from "./differentiate.js";
import { fuse } from "./fuse.js";
import { forInference } from "./inference.js";
import { simplify, simplifyTraining } from "./simplify.js";
import { separateSpacings } from "./spacing.js";
import type { Graph, Port, Value } from "../ir/graph.js";
import { usesOf } from "../ir/uses.js";
import { GraphBuilder } from "../ops/builder.js";

/** A layer's value in the forward graph. */
export interface NamedValue {
  readonly name: string;
  readonly value: Value;
}

export interface InsideGraphs {
  /** The network's outputs, and those of its layers that are different values. */
  readonly activations: Graph;
  /** The same with the input `scores` and an output `gradient of NAME` for each of these layers. */
  readonly attribution: Graph;
  /**
   * By layer, the outputs that hold its value and its gradient, where they are computed. Layers of
   * losses and metrics that read targets are left out.
   */
  readonly layers: ReadonlyMap<string, InsideOutputs>;
}

/** Names of outputs: outside training, dropout gives what it reads, and both have one output. */
export interface InsideOutputs {
  readonly activation: string;
  /** The value again, of the graph with gradients. */
  readonly attributed?: string | undefined;
  readonly gradient?: string | undefined;
}

/** What the scores of the classes count: one for the class that is asked about. */
export const SCORES = "scores";

/** `output` names the output whose scores are explained. */
export function insideGraphs(
  forward: Graph,
  layers: readonly NamedValue[],
  output: string,
): InsideGraphs {
  const targets = forward.inputs.filter(({ role }) => role !== "input");
  // What losses and metrics compute of targets is unknown where there are none.
  const unknown = dependent(forward, targets);
  const ports = layers
    .filter(({ value }) => !unknown.has(value.id))
    .map(({ name, value }): Port => ({ name, role: "prediction", value }));
  const named = { ...forward, outputs: [...forward.outputs.map(own), ...ports], metrics: [] };
  const inputs = forward.inputs.filter(({ role }) => role === "input");
  // Simplified as the network itself is: parameters then lie in memory as they do there.
  const read = forInference(simplify(removeDeadNodes({ ...named, inputs })));
  const activations = withoutRepetitions(simplify(read));
  const explained = read.outputs.find(({ name }) => name === ownName(output))!;
  const attribution = withoutRepetitions(simplifyTraining(withGradients(read, explained)));
  const places = layers.flatMap(({ name }): [string, InsideOutputs][] => {
    const activation = activations.places.get(name);
    const attributed = attribution.places.get(name);
    const gradient = attribution.places.get(gradientName(name));
    return activation === undefined ? [] : [[name, { activation, attributed, gradient }]];
  });
  return {
    activations: finish(activations.graph),
    attribution: finish(attribution.graph),
    layers: new Map(places),
  };
}

/** Outputs and layers have separate names: a layer may be called as the output that it is. */
const ownName = (output: string) => `output ${output}`;

const own = (port: Port): Port => ({ ...port, name: ownName(port.name) });

const gradientName = (layer: string): string => `gradient of ${layer}`;

const finish = (graph: Graph): Graph => separateSpacings(fuse(graph));

/** Each value once, and where each named one is: an input is not an output. */
function withoutRepetitions(graph: Graph) {
  const first = new Map<number, Port>();
  const places = new Map<string, string>();
  const given = new Set(graph.inputs.map(({ value }) => value.id));
  for (const port of graph.outputs) {
    if (given.has(port.value.id)) continue;
    const known = first.get(port.value.id);
    if (!known) first.set(port.value.id, port);
    places.set(port.name, (known ?? port).name);
  }
  return { graph: { ...graph, outputs: [...first.values()] }, places };
}

/** The graph with the gradients of the sum of the scores, each times its value of `scores`. */
function withGradients(graph: Graph, { value: output }: Port): Graph {
  const builder = GraphBuilder.from(graph);
  const logits = scoresBehind(graph, output);
  const scores = builder.input(SCORES, logits.shape, logits.origin);
  const gradients = new Gradients(builder);
  gradients.contribute(logits, scores);
  const needed = dependent(graph, graph.inputs);
  for (const node of graph.nodes.toReversed()) backpropagate(node, builder, gradients, needed);
  const found = graph.outputs.flatMap(({ name, value }): Port[] => {
    const gradient = gradients.total(value, value.origin);
    return gradient ? [{ name: gradientName(name), role: "prediction", value: gradient }] : [];
  });
  return removeDeadNodes(builder.finish({ outputs: [...graph.outputs, ...found], metrics: [] }));
}

/** What goes into a softmax at the end, whose gradients vanish where it is sure, or the output. */
function scoresBehind(graph: Graph, output: Value): Value {
  const maker = usesOf(graph).maker(output);
  return maker?.kind === "softmax" ? maker.inputs[0]! : output;
}

/** Everything that depends on these inputs, without them. */
function dependent({ nodes }: Graph, inputs: Graph["inputs"]): ReadonlySet<number> {
  const known = new Set(inputs.map(({ value }) => value.id));
  const made = new Set<number>();
  for (const node of nodes) {
    if (!node.inputs.some(({ id }) => known.has(id))) continue;
    for (const { id } of node.outputs) {
      known.add(id);
      made.add(id);
    }
  }
  return made;
}
