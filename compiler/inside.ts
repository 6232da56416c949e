/** Programs that see inside a network: the values of its layers, and gradients of its scores. */
import type { InsideProgram, InsideLayer } from "../program/inside.js";
import type { OptimizerSettings, Program, Target } from "../program/program.js";
import type { DeviceLimits } from "../program/limits.js";
import { annotateKernels } from "./emit/annotate.js";
import type { Graph } from "./ir/graph.js";
import { lowerProgram } from "./lower/program.js";
import { buildWithLayers } from "./network/build.js";
import type { ResolvedNetwork } from "./network/resolved.js";
import {
  insideGraphs,
  SCORES,
  type InsideGraphs,
  type InsideOutputs,
} from "./passes/seen-inside.js";
import { planProgram } from "./plan/program.js";
import { writeProgram } from "./write/program.js";

export interface InsideOptions {
  readonly targets: readonly Target[];
  readonly source: Program["source"];
  readonly limits?: DeviceLimits | undefined;
}

/** Nothing is trained. */
const OPTIMIZER: OptimizerSettings = {
  kind: "sgd",
  learningRate: 0,
  momentum: 0,
  weightDecay: 0,
  nesterov: false,
  convention: "pytorch",
};

/** A program for each target, in 32 bits. Its parameters are those of the network's programs. */
export function compileInside(
  network: ResolvedNetwork,
  { targets, ...options }: InsideOptions,
): readonly InsideProgram[] {
  const { graph, values } = buildWithLayers(network);
  const layers = network.layers.map(({ name }, index) => ({ name, value: values[index]! }));
  const graphs = insideGraphs(graph, layers, network.outputs[0]!.name);
  return targets.map((target) => compileFor(graphs, network, { ...options, target }));
}

function compileFor(
  graphs: InsideGraphs,
  network: ResolvedNetwork,
  options: Omit<InsideOptions, "targets"> & { readonly target: Target },
): InsideProgram {
  const { activations, attribution } = graphs;
  const settings = { ...options, optimizer: OPTIMIZER };
  const plan = planProgram(both(graphs), { predict: activations, evaluate: attribution }, settings);
  // Weights come from the network.
  const lowered = { ...lowerProgram(plan, {}), initialize: [] };
  const { program } = writeProgram(plan, lowered, settings);
  const indexOf = (role: "input" | "prediction", name: string) =>
    program.tensors.findIndex((tensor) => tensor.role === role && tensor.name === name);
  const scores = indexOf("input", SCORES);
  const inputs = program.tensors.flatMap(({ role }, index) =>
    role === "input" && index !== scores ? [index] : [],
  );
  const nothing = { reads: [], gives: [] };
  // The runtime reads the outputs that it is asked for.
  const uses = {
    train: nothing,
    accumulate: nothing,
    predict: { reads: inputs, gives: [] },
    evaluate: { reads: [...inputs, scores], gives: [] },
  };
  const place = (name: string | undefined) =>
    name === undefined ? undefined : indexOf("prediction", name);
  const kinds = new Map(network.layers.map(({ name, definition }) => [name, definition.name]));
  const described = [...graphs.layers].map(([name, outputs]) =>
    describe(name, kinds.get(name)!, outputs, place),
  );
  return { program: annotateKernels({ ...program, uses }), scores, layers: described };
}

const describe = (
  name: string,
  kind: string,
  { activation, attributed, gradient }: InsideOutputs,
  place: (name: string | undefined) => number | undefined,
): InsideLayer => ({
  name,
  kind,
  activation: place(activation)!,
  attribution: gradient && attributed ? [place(attributed)!, place(gradient)!] : undefined,
});

/** A graph with the inputs and outputs of both. */
function both({ activations, attribution }: InsideGraphs): Graph {
  const ports = [...activations.outputs, ...attribution.outputs];
  const outputs = [...new Map(ports.map((port) => [port.name, port])).values()];
  return { ...attribution, outputs };
}
