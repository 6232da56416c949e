import { trainedParameters } from "../../compiler/ir/fusion.js";
import type { Graph } from "../../compiler/ir/graph.js";
import { differentiate } from "../../compiler/passes/differentiate.js";
import { runGraph, type GraphInputs } from "../../compiler/ops/run-graph.js";
import { scoresOf } from "../../compiler/ops/scores.js";
import { inputsFor } from "./chain.js";

export type Inputs = Pick<ReturnType<typeof inputsFor>, "context" | "parameters"> & GraphInputs;

export function meanLoss(graph: Graph, inputs: GraphInputs): number {
  return scoresOf(graph, runGraph(graph, inputs)).get("loss")!;
}

/** The gradient of each trained parameter, by name. */
export function gradientsOf(
  training: Graph,
  inputs: GraphInputs,
): ReadonlyMap<string, ArrayLike<number>> {
  const values = runGraph(training, inputs);
  return new Map(
    trainedParameters(training).map(({ parameter, gradient }) => [
      parameter.name,
      values.get(gradient!.id)!.data,
    ]),
  );
}

/**
 * The largest difference between a graph's gradients and central differences of its loss. Infinity
 * where a trainable parameter has none.
 */
export function gradientError(forward: Graph, inputs: Inputs = inputsFor(forward)): number {
  const step = 1e-5;
  let worst = 0;
  const gradients = gradientsOf(differentiate(forward), inputs);
  for (const { value, trainable } of forward.parameters) {
    const { name } = value;
    const gradient = gradients.get(name);
    if (!trainable) continue;
    if (!gradient) return Infinity;
    const values = inputs.parameters.get(name)!;
    // A handful of elements each, the first and the last among them.
    const stride = Math.max(1, Math.floor((values.length - 1) / 7));
    for (let index = 0; index < values.length; index += stride) {
      const losses = [step, -step].map((shift) => {
        const moved = Float64Array.from(values);
        moved[index]! += shift;
        const parameters = new Map(inputs.parameters).set(name, moved);
        return meanLoss(forward, { ...inputs, parameters });
      });
      const slope = (losses[0]! - losses[1]!) / (2 * step);
      worst = Math.max(worst, Math.abs(slope - gradient[index]!));
    }
  }
  return worst;
}
