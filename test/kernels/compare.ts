import { trainedParameters } from "../../compiler/ir/fusion.js";
import { portsOf, type Graph, type Port, type Value } from "../../compiler/ir/graph.js";
import { stepGraphs } from "../../compiler/passes/step-graphs.js";
import { makeProgram, type ProgramOptions } from "../../compiler/program.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import { runGraph, type Numbers } from "../../compiler/ops/run-graph.js";
import { scoresOf } from "../../compiler/ops/scores.js";
import { createNetwork, type Network } from "../../runtime/index.js";
import type { Program, Target } from "../../program/program.js";
import { labelValues, parameterValues, uniformValues } from "../oracle/values.js";

export const OPTIMIZER: Program["optimizer"] = {
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
      optimizer: OPTIMIZER,
      classes: classesOf(graph),
      keepGradients: true,
      ...options,
    }),
  );
}

/**
 * Relative distance of two tensors, against the norm of the second; absolute where that is tiny.
 */
export function distance(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  const norm = Math.sqrt(Array.from(expected).reduce((sum, value) => sum + value ** 2, 0));
  return differenceOf(actual, expected) / Math.max(norm, 1e-4);
}

/** The norm of the difference of two tensors. */
function differenceOf(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  const squares = Array.from(expected, (value, index) => (actual[index]! - value) ** 2);
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
}

export interface Comparison {
  readonly tensor: string;
  /** Relative to the tensor's norm. */
  readonly error: number;
  /** Its norm. */
  readonly difference: number;
}

/** Steps that are compared: memory is used again from the second on, and momentum counts. */
const STEPS = 2;

/**
 * What the values of the first input and target are drawn by: bounds on rounding hold for these
 * values, whatever a graph calls them.
 */
const FIRST_KEYS: Readonly<Record<string, string>> = {
  input: "kernels/images",
  target: "kernels/labels",
};

/** Values of a graph's inputs and targets by name, of this many examples. */
function examplesOf(graph: Graph, count: number) {
  const valuesOf = (port: Port, place: number) => {
    const { role, name, value, classes, ignore, boxClasses } = port;
    const key = place === 0 ? FIRST_KEYS[role]! : `kernels/${name}`;
    const size = value.shape.slice(1).map(Number);
    const all = size.reduce((a, b) => a * b, count);
    if (boxClasses !== undefined) return boxValues(key, all, boxClasses);
    if (value.type !== "u32") return uniformValues(key, all, 1);
    const kinds = classes ?? classesOf(graph);
    if (ignore === undefined) return labelValues(key, all, kinds);
    return labelValues(key, all, kinds + 1).map((label) => (label === kinds ? ignore : label));
  };
  const named = (role: "input" | "target") =>
    Object.fromEntries(
      graph.inputs
        .filter((port) => port.role === role)
        .map((port, place) => [port.name, valuesOf(port, place)]),
    );
  return {
    inputs: named("input") as Readonly<Record<string, Float32Array>>,
    targets: named("target"),
  };
}

/** Boxes of all classes, and room without one. */
export function boxValues(key: string, count: number, classes: number): Float32Array {
  return uniformValues(key, count, 1).map((value, index) =>
    index % 5 === 0 ? Math.floor(Math.abs(value) * (classes + 1)) - 1 : Math.abs(value),
  );
}

type GraphExamples = ReturnType<typeof examplesOf>;

/** Of labels that do not say it, as a chain's: as many as the first prediction tells apart. */
const classesOf = (graph: Graph) => Number(portsOf(graph, "prediction")[0]!.shape[1]);

/** A graph's values on the CPU: the predictions, and all values of each step. */
function expectedValues(graph: Graph, examples: GraphExamples, rule: Program["optimizer"]) {
  const given = { ...examples.inputs, ...examples.targets };
  const [images] = Object.values(examples.inputs) as [Float32Array];
  let parameters = new Map<string, Numbers>(
    graph.parameters.map(({ value }) => [value.name, initial(value.name, value.shape)]),
  );
  let states = new Map<string, Numbers[]>();
  let lossScale: Numbers | undefined;
  const { train, predict } = stepGraphs(graph, { fusion: "none", optimizer: rule });
  const context = { seed: 7, training: true, optimizer: rule };
  const predicted = runGraph(predict, {
    images,
    given,
    parameters,
    context: { ...context, step: 0, training: false },
  });
  const steps = [];
  for (let step = 0; step < STEPS; step++) {
    const counted = withoutUndefined({ lossScale });
    const inputs = { images, given, parameters, states, ...counted };
    const values = runGraph(train!, { ...inputs, context: { ...context, step } });
    steps.push(values);
    const numbersOf = ({ id }: Value) => values.get(id)!.data as Numbers;
    const [scale] = portsOf(train!, "loss scale");
    lossScale = scale && numbersOf(scale);
    parameters = new Map(graph.parameters.map(({ value }) => [value.name, numbersOf(value)]));
    states = new Map(
      trainedParameters(train!).map(({ parameter, states: kept }) => [
        parameter.name,
        kept.map(numbersOf),
      ]),
    );
  }
  return {
    predictions: predict.outputs
      .filter(({ role }) => role === "prediction")
      .map(({ name, value }) => [name, predicted.get(value.id)!.data] as const),
    train: train!,
    steps,
  };
}

const initial = (name: string, shape: readonly (number | string)[]) =>
  parameterValues(`kernels/${name}`, shape.map(Number));

export type AnyNetwork = Network<
  string,
  string,
  { [name: string]: Uint32Array | Float32Array },
  Readonly<Record<string, Float32Array>>,
  Float32Array | Readonly<Record<string, Float32Array>>
>;

/** Runs a graph's program on the test adapter and on the CPU and compares all that can be read. */
export async function compare(
  graph: Graph,
  {
    count = 3,
    batch = count,
    ...options
  }: Partial<ProgramOptions> & { count?: number; batch?: number } = {},
): Promise<Comparison[]> {
  const examples = examplesOf(graph, count);
  const expected = expectedValues(graph, examples, options.optimizer ?? OPTIMIZER);
  const targets = options.target ? [options.target] : undefined;
  const programs = programsOf(graph, options, targets);
  const network = (await createNetwork(programs, { batch, seed: 7 })) as unknown as AnyNetwork;
  try {
    for (const { name, shape } of network.parameters)
      await network.write(name, initial(name, shape));
    const results: Comparison[] = [];
    const add = (tensor: string, actual: ArrayLike<number>, wanted: ArrayLike<number>) =>
      results.push({
        tensor,
        error: distance(actual, wanted),
        difference: differenceOf(actual, wanted),
      });
    const predicted = await network.predict(examples.inputs);
    for (const [name, values] of expected.predictions) {
      add(name, predicted instanceof Float32Array ? predicted : predicted[name]!, values);
    }
    for (const [step, values] of expected.steps.entries()) {
      const metrics = await network.step(examples.inputs, examples.targets);
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
