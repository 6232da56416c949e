import { trainedParameters } from "../../compiler/ir/fusion.js";
import { portOf, type Graph, type Value } from "../../compiler/ir/graph.js";
import { stepGraphs } from "../../compiler/passes/step-graphs.js";
import { makeProgram, type ProgramOptions } from "../../compiler/program.js";
import { runGraph, type Numbers } from "../../compiler/ops/run-graph.js";
import { scoresOf } from "../../compiler/ops/scores.js";
import { createNetwork } from "../../runtime/index.js";
import type { Program, Target } from "../../program/program.js";
import { labelValues, parameterValues, uniformValues } from "../oracle/values.js";

export const optimizer: Program["optimizer"] = {
  kind: "sgd",
  learningRate: 0.1,
  momentum: 0.9,
  weightDecay: 0.01,
  nesterov: false,
  convention: "pytorch",
};

/** Programs of a graph for every target, as a module holds them. */
export function programsOf(
  graph: Graph,
  options: Partial<ProgramOptions> = {},
  targets: readonly Target[] = ["gpu", "lanes8", "lanes4"],
): Program[] {
  return targets.map((target) =>
    makeProgram(graph, {
      target,
      source: { file: "test.net", hash: "0" },
      classes: Number(portOf(graph, "prediction").shape[1]),
      optimizer,
      keepGradients: true,
      ...options,
    }),
  );
}

/**
 * Relative distance of two tensors, against the norm of the second; absolute where that is tiny.
 */
export function distance(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let [difference, norm] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  return Math.sqrt(difference) / Math.max(Math.sqrt(norm), 1e-4);
}

export interface Comparison {
  readonly tensor: string;
  readonly error: number;
}

/** Steps that are compared: memory is used again from the second on, and momentum counts. */
const STEPS = 2;

/** A graph's values on the CPU: the prediction, and all values of each step. */
function expectedValues(
  graph: Graph,
  images: Float32Array,
  labels: Uint32Array,
  rule: Program["optimizer"],
) {
  let parameters = new Map<string, Numbers>(
    graph.parameters.map(({ value }) => [value.name, initial(value.name, value.shape)]),
  );
  let states = new Map<string, Numbers[]>();
  const { train, predict } = stepGraphs(graph, { fusion: "none", optimizer: rule });
  const context = { seed: 7, training: true, optimizer: rule };
  const predicted = runGraph(predict, {
    images,
    parameters,
    context: { ...context, step: 0, training: false },
  });
  const steps = [];
  for (let step = 0; step < STEPS; step++) {
    const inputs = { images, labels, parameters, states };
    const values = runGraph(train!, { ...inputs, context: { ...context, step } });
    steps.push(values);
    const numbersOf = ({ id }: Value) => values.get(id)!.data as Numbers;
    parameters = new Map(graph.parameters.map(({ value }) => [value.name, numbersOf(value)]));
    states = new Map(
      trainedParameters(train!).map(({ parameter, states: kept }) => [
        parameter.name,
        kept.map(numbersOf),
      ]),
    );
  }
  return {
    prediction: predicted.get(portOf(predict, "prediction").id)!.data,
    train: train!,
    steps,
  };
}

const initial = (name: string, shape: readonly (number | string)[]) =>
  parameterValues(`kernels/${name}`, shape.map(Number));

/** Runs a graph's program on the test adapter and on the CPU and compares all that can be read. */
export async function compare(
  graph: Graph,
  {
    count = 3,
    batch = count,
    ...options
  }: Partial<ProgramOptions> & { count?: number; batch?: number } = {},
): Promise<Comparison[]> {
  const size = portOf(graph, "input")
    .shape.slice(1)
    .map(Number)
    .reduce((a, b) => a * b, 1);
  const images = uniformValues("kernels/images", count * size, 1);
  const labels = labelValues("kernels/labels", count, Number(portOf(graph, "prediction").shape[1]));
  const expected = expectedValues(graph, images, labels, options.optimizer ?? optimizer);
  const targets = options.target ? [options.target] : undefined;
  const network = await createNetwork(programsOf(graph, options, targets), { batch, seed: 7 });
  try {
    for (const { name, shape } of network.parameters)
      await network.write(name, initial(name, shape));
    const results: Comparison[] = [];
    const add = (tensor: string, actual: ArrayLike<number>, wanted: ArrayLike<number>) =>
      results.push({ tensor, error: distance(actual, wanted) });
    add("prediction", await network.predict(images), expected.prediction);
    for (const [step, values] of expected.steps.entries()) {
      const metrics = await network.step(images, labels);
      for (const [name, mean] of scoresOf(expected.train, values))
        add(`${name} of step ${step}`, [metrics[name]!], [mean]);
      for (const { parameter, gradient } of trainedParameters(expected.train)) {
        const { name } = parameter;
        const of = (id: number) => values.get(id)!.data;
        if (options.keepGradients !== false) {
          const kept = await network.read(name, { of: "gradient" });
          add(`${name} gradient ${step}`, kept, of(gradient!.id));
        }
        add(`${name} after ${step}`, await network.read(name), of(parameter.id));
      }
      for (const { value, role } of graph.parameters) {
        if (role !== "statistic") continue;
        const { data } = values.get(value.id)!;
        add(`${value.name} after ${step}`, await network.read(value.name), data);
      }
    }
    return results;
  } finally {
    network.destroy();
  }
}

export function worst(results: readonly Comparison[]): string {
  return [...results]
    .sort((a, b) => (a.error >= b.error ? -1 : 1))
    .slice(0, 4)
    .map(({ tensor, error }) => `${tensor} ${error.toExponential(1)}`)
    .join(", ");
}
