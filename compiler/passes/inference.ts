import { mapParts, withoutNoise, withoutStops } from "../ir/expression-transform.js";
import { simplify } from "../ir/expression-simplify.js";
import { add, channel, constant, multiply, operand, type Expression } from "../ir/expression.js";
import { readsOf } from "../ir/fusion.js";
import { resultsOf, type AnyNode, type Graph, type Node, type Value } from "../ir/graph.js";
import { elementCount } from "../ir/shape.js";
import { removeDeadNodes } from "./dead-nodes.js";
import { rewrite, type Rule } from "./rewrite.js";

/**
 * The graph as it runs outside training: dropout keeps everything, and running statistics replace
 * those of the batch.
 */
export function forInference(graph: Graph): Graph {
  const known = rewrite(graph, { normalize: [byRunningStatistics] });
  return { ...known, nodes: known.nodes.map((node) => simpler(node, plain)) };
}

/**
 * Normalizing by statistics known at compile time is a multiplication and an addition, which the
 * convolution before takes in: the factor in its weights, where that is worth a copy of them, or
 * behind it.
 */
const byRunningStatistics: Rule<"normalize"> = (node, uses) => {
  const [x, mean, , ...affine] = node.inputs as [Value, Value, ...Value[]];
  const { attributes, origin } = node;
  const statistics = uses.maker(mean)!;
  const [, ...running] = statistics.inputs;
  const before = uses.maker(x);
  const takesFactor = before?.kind === "convolution" && uses.isReadOnlyBy(x, node, statistics);
  const convolution = takesFactor && isWorthCopy(before) ? before : undefined;
  return (builder) => {
    const [scale, shift] = builder.addAll(
      "normalizeScale",
      [...running, ...affine],
      attributes,
      origin,
    ) as [Value, Value];
    if (!convolution) {
      const expression = add(multiply(operand(0), channel(1)), channel(2));
      return [builder.add("pointwise", [x, scale, shift], { expression }, origin)];
    }
    const [input, weights] = convolution.inputs as [Value, Value];
    const scaled = builder.add("scaledWeights", [weights, scale], {}, origin);
    const inputs = [input, scaled];
    const y = builder.add("convolution", inputs, convolution.attributes, convolution.origin);
    const expression = add(operand(0), channel(1));
    return [builder.add("pointwise", [y, shift], { expression }, origin)];
  };
};

/**
 * A factor in the weights saves a multiplication for each output, compared with as many as an
 * output has weights: it counts where those are few. The scaled weights are a second copy, since
 * training and files know them as they are. They are made where the copy takes no more memory than
 * the outputs of one image, which is where an output has fewer weights than an image has pixels.
 */
function isWorthCopy({ inputs: [, weights], outputs: [y] }: Node<"convolution">): boolean {
  return elementCount(weights!.shape) <= elementCount(y!.shape);
}

/** The node with dropout that keeps everything. */
export const withoutDropout = (node: AnyNode): AnyNode => simpler(node, keepAll);

const plain = (expression: Expression) => withoutStops(keepAll(expression));

function simpler(node: AnyNode, change: (expression: Expression) => Expression): AnyNode {
  if (node.kind === "attention") {
    return { ...node, attributes: { ...node.attributes, dropout: undefined } };
  }
  if (node.kind !== "pointwise") return node;
  return { ...node, attributes: { expression: simplify(change(node.attributes.expression)) } };
}

function keepAll(expression: Expression): Expression {
  return expression.kind === "keep" ? constant(1) : mapParts(expression, keepAll);
}

/** Predictions are of noise that the caller gives. */
const given = (node: AnyNode): AnyNode => simpler(node, withoutNoise);

/** The part of a graph that its prediction (and nothing else) needs. */
export function forPrediction(graph: Graph): Graph {
  const inputs = graph.inputs.filter(({ role }) => role === "input");
  const alive = removeDeadNodes({ ...graph, nodes: graph.nodes.map(given), inputs, metrics: [] });
  // Neither other pictures of an example nor what samples are compared with is given.
  const read = new Set([...resultsOf(alive), ...alive.nodes.flatMap(readsOf)]);
  const needed = inputs.filter(({ value }) => read.has(value));
  // A network that predicts a constant still has to know how many.
  return { ...alive, inputs: needed.length > 0 ? needed : inputs.slice(0, 1) };
}
