import { portOf } from "../../compiler/ir/graph.js";
import { expect, test } from "vitest";
import { trainedParameters } from "../../compiler/ir/fusion.js";
import { scoreValues, type Graph, type Value } from "../../compiler/ir/graph.js";
import { stepGraphs } from "../../compiler/passes/step-graphs.js";
import { runGraph, type GraphValues } from "../../compiler/ops/run-graph.js";
import type { OptimizerSettings } from "../../program/program.js";
import { labelValues, parameterValues, uniformValues } from "../oracle/values.js";
import { graphOf } from "./spec-graphs.js";

/**
 * Among them, every op that a spec has is fused in every way that one fuses it. All specs are
 * compared on a GPU (test/gpu/fused-specs.test.ts); here they are in double precision.
 */
const SIZES = { digits: 28, lenet: 32, squeezenet1_1: 33, mobilenet_v3_small: 32 };

const BATCH = 2;

const OPTIMIZER: OptimizerSettings = {
  kind: "sgd",
  learningRate: 0.01,
  momentum: 0.9,
  weightDecay: 1e-3,
  nesterov: false,
  convention: "pytorch",
};

/** Sums and products in double precision, in another order. */
const TOLERANCE = 1e-8;

function distance(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual).toHaveLength(expected.length);
  let [difference, norm] = [0, 0];
  for (let index = 0; index < expected.length; index++) {
    difference += (actual[index]! - expected[index]!) ** 2;
    norm += expected[index]! ** 2;
  }
  return Math.sqrt(difference) / Math.max(Math.sqrt(norm), 1e-12);
}

type Named = ReadonlyMap<string, Value>;

/**
 * What a list leaves: prediction, metrics, parameters, and the velocities, which after a first step
 * are the gradients.
 */
function resultsOf(graph: Graph): Named {
  const trained = trainedParameters(graph);
  return new Map([
    ["prediction", portOf(graph, "prediction")],
    ...scoreValues(graph).map((value, index) => [`score ${index}`, value] as const),
    ...graph.parameters.map(({ value }) => [value.name, value] as const),
    ...trained.map(({ parameter, states }) => [`${parameter.name} gradient`, states[0]!] as const),
  ]);
}

test.each(Object.entries(SIZES))(
  "%s: fused and not fused are the same",
  (name, size) => {
    const graph = graphOf(name, size);
    const parameters = new Map(
      graph.parameters.map(({ value: { name: parameter, shape } }) => {
        const values = parameterValues(`fused/${parameter}`, shape.map(Number));
        return [parameter, Float64Array.from(values)] as const;
      }),
    );
    const elements = portOf(graph, "input")
      .shape.slice(1)
      .reduce<number>((product, size) => product * Number(size), 1);
    const classes = Number(portOf(graph, "prediction").shape[1]);
    const inputs = {
      images: Float64Array.from(uniformValues("fused", BATCH * elements, 1)),
      labels: labelValues("fused", BATCH, classes),
      parameters,
    };
    const [fused, plain] = (["all", "none"] as const).map((fusion) =>
      stepGraphs(graph, { fusion, optimizer: OPTIMIZER }),
    );
    for (const list of ["train", "evaluate", "predict"] as const) {
      const run = (of: Graph): GraphValues =>
        runGraph(of, {
          ...inputs,
          context: { seed: 3, step: 1, training: list === "train", optimizer: OPTIMIZER },
        });
      const [one, other] = [fused![list]!, plain![list]!];
      expect(one.nodes.length).toBeLessThan(other.nodes.length);
      const [joined, apart] = [run(one), run(other)];
      const expected = resultsOf(other);
      const found = resultsOf(one);
      expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
      for (const [result, value] of expected) {
        const error = distance(joined.get(found.get(result)!.id)!.data, apart.get(value.id)!.data);
        expect(error, `${list}: ${result}`).toBeLessThan(TOLERANCE);
      }
    }
  },
  600_000,
);
