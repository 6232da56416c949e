/** A training step in turns: each minimizes one of several losses by some of the weights. */
import type { TrainStep } from "../../program/recipe.js";
import { readsOf } from "../ir/fusion.js";
import { mapParts } from "../ir/expression-transform.js";
import type { Expression } from "../ir/expression.js";
import type { AnyNode, Graph, Parameter, Value } from "../ir/graph.js";
import type { Turn } from "../ir/step-graphs.js";
import { removeDeadNodes } from "./dead-nodes.js";

/** What a recipe's steps make of a forward graph, in their order. */
export const turnsOf = (forward: Graph, steps: readonly TrainStep[]): readonly Turn[] =>
  steps.map((step, turn) => ({ ...step, graph: turnOf(forward, steps, turn) }));

/**
 * The graph of one turn. Its loss is the step's, under its name as well. Metrics are measured in
 * the first turn, before anything is updated.
 */
function turnOf(forward: Graph, steps: readonly TrainStep[], turn: number): Graph {
  const { name, update } = steps[turn]!;
  const updated = new Set(update);
  const own = forward.metrics.find((score) => score.name === name)!;
  const losses = new Set(["loss", ...steps.map((step) => step.name)]);
  const others = turn === 0 ? forward.metrics.filter((score) => !losses.has(score.name)) : [];
  const metrics = [{ ...own, name: "loss" }, own, ...others];
  const parameters = forward.parameters.map((parameter) => restricted(parameter, updated));
  const nodes = forward.nodes.map((node) => drawnAgain(movedBy(node, steps, turn), turn));
  const graph = removeDeadNodes({ ...forward, nodes, parameters, metrics, outputs: [] });
  // The first turn says what comes in.
  return turn === 0 ? graph : { ...graph, inputs: inputsOf(graph) };
}

function inputsOf({ inputs, nodes }: Graph): Graph["inputs"] {
  const read = new Set(nodes.flatMap(readsOf));
  return inputs.filter(({ value }) => read.has(value));
}

const restricted = (parameter: Parameter, updated: ReadonlySet<string>): Parameter => ({
  ...parameter,
  trainable: parameter.trainable && updated.has(parameter.value.name),
});

/** Running statistics move in the turn that trains the weights around them, and in no other. */
function movedBy(node: AnyNode, steps: readonly TrainStep[], turn: number): AnyNode {
  if (node.kind !== "channelStatistics") return node;
  const [, { name }] = node.inputs as [Value, Value];
  const nearness = steps.map(({ update }) => Math.max(...update.map((each) => shared(each, name))));
  if (nearness.indexOf(Math.max(...nearness)) === turn) return node;
  return { ...node, attributes: { ...node.attributes, momentum: 0 } };
}

/** How many parts two names have in common, from the first on. */
function shared(one: string, other: string): number {
  const [parts, others] = [one.split("."), other.split(".")];
  const end = parts.findIndex((part, index) => part !== others[index]);
  return end < 0 ? parts.length : end;
}

/** From the streams of one turn to those of the next. */
const STREAMS = 0x10000;

/** Each turn draws its dropout again; noise stays the same. */
function drawnAgain(node: AnyNode, turn: number): AnyNode {
  if (turn === 0) return node;
  const shifted = (stream: number) => stream + turn * STREAMS;
  if (node.kind === "attention" && node.attributes.dropout) {
    const { rate, stream } = node.attributes.dropout;
    const dropout = { rate, stream: shifted(stream) };
    return { ...node, attributes: { ...node.attributes, dropout } };
  }
  if (node.kind !== "pointwise") return node;
  const draw = (expression: Expression): Expression =>
    expression.kind === "keep"
      ? { ...expression, stream: shifted(expression.stream) }
      : mapParts(expression, draw);
  return { ...node, attributes: { expression: draw(node.attributes.expression) } };
}
