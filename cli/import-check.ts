/** An imported network against the model that it came from. */
import { compileNetwork } from "../compiler/index.js";
import { inputsRead } from "../interchange/fold.js";
import { evaluate } from "../interchange/reference/evaluate.js";
import type { ForeignGraph, ForeignTensor } from "../interchange/foreign-graph.js";
import type { ImportedModel } from "../interchange/import-graph.js";
import type { Inputs, Labels } from "../runtime/examples.js";
import { createNetwork } from "../runtime/index.js";
import { serializeTensors } from "../runtime/safetensors.js";

export interface CheckResult {
  readonly adapter: string;
  readonly inputs: number;
  /** Of all numbers of all outputs. */
  readonly largestDifference: number;
  /** Largest size of an output, which the difference is to be seen against. */
  readonly largestOutput: number;
}

/** Largest difference, as a share of the largest output, that rounding in 32 bits explains. */
export const TOLERANCE = 1e-3;

/**
 * Runs random inputs through the model's own rules in plain loops, before any rewriting, and
 * through the compiled program. The output of the graph is the imported one.
 */
export async function checkImport(
  graph: ForeignGraph,
  model: ImportedModel,
  { count, adapter }: { readonly count: number; readonly adapter: string },
): Promise<CheckResult> {
  const { network, tensors } = model;
  const { programs } = compileNetwork(network, { file: `${network.name}.net` });
  const shapes = network.inputs.map(({ type }) => type.shape.slice(1).map(Number));
  const names = network.inputs.map(({ name }) => name);
  const running = await createNetwork<string, string, Labels, Inputs>(programs, {
    batch: 1,
    adapter,
  });
  try {
    await running.load(serializeTensors(tensors));
    let [largestDifference, largestOutput] = [0, 0];
    for (let index = 0; index < count; index++) {
      const inputs = shapes.map((shape, port) => randomInput(shape, index + port * count));
      const expected = expectedOf(graph, inputs);
      const values = inputs.map(({ values }) => Float32Array.from(values));
      const named = Object.fromEntries(values.map((value, port) => [names[port]!, value]));
      const actual = await running.predict(values.length === 1 ? values[0]! : named);
      requireLength(actual.length, expected.length);
      expected.forEach((value, at) => {
        const difference = Math.abs(value - actual[at]!);
        // Not a number counts as the largest difference there is.
        largestDifference = Math.max(largestDifference, difference >= 0 ? difference : Infinity);
        largestOutput = Math.max(largestOutput, Math.abs(value));
      });
    }
    const { name } = running.adapter;
    return { adapter: name, inputs: count, largestDifference, largestOutput };
  } finally {
    running.destroy();
  }
}

function requireLength(actual: number, expected: number): void {
  if (actual === expected) return;
  throw new Error(`the model gives ${expected} numbers, and the imported network ${actual}`);
}

/** Of the first example, where the file fixes a larger batch. */
function expectedOf(graph: ForeignGraph, inputs: readonly ForeignTensor[]): readonly number[] {
  const ports = inputsRead(graph);
  const batch = ports[0]!.shape[0] ?? 1;
  const given = ports.map(({ name }, port) => [name, batched(inputs[port]!, batch)] as const);
  const [output] = evaluate(graph, new Map(given));
  return [...output!.values.slice(0, output!.values.length / batch)];
}

/** The same example several times. */
function batched(example: ForeignTensor, batch: number): ForeignTensor {
  const length = example.values.length;
  const values = new Float64Array(batch * length);
  for (let image = 0; image < batch; image++) values.set(example.values, image * length);
  return { ...example, shape: [batch, ...example.shape], values };
}

/** Numbers of a normal distribution, the same in every run. */
function randomInput(shape: readonly number[], seed: number): ForeignTensor {
  let state = (seed + 1) * 0x9e3779b9;
  const next = () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
  const length = shape.reduce((a, b) => a * b, 1);
  const values = Float32Array.from({ length }, () => {
    return Math.sqrt(-2 * Math.log(next() + 1e-9)) * Math.cos(2 * Math.PI * next());
  });
  return { kind: "float", shape, values };
}
