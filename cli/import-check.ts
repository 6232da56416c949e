/** An imported network against the model that it came from. */
import { compileNetwork } from "../compiler/index.js";
import { evaluate } from "../interchange/reference/evaluate.js";
import type { ForeignGraph, ForeignTensor } from "../interchange/foreign-graph.js";
import type { ImportedModel } from "../interchange/import-graph.js";
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
  const shape = network.inputs[0]!.type.shape.slice(1).map(Number);
  const running = await createNetwork(programs, { batch: 1, adapter });
  try {
    await running.load(serializeTensors(tensors));
    let [largestDifference, largestOutput] = [0, 0];
    for (let index = 0; index < count; index++) {
      const input = randomInput(shape, index);
      const expected = expectedOf(graph, input);
      const actual = await running.predict(Float32Array.from(input.values));
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
function expectedOf(graph: ForeignGraph, input: ForeignTensor): readonly number[] {
  const read = new Set(graph.nodes.flatMap(({ inputs }) => inputs));
  const port = graph.inputs.find(({ name }) => read.has(name))!;
  const batch = port.shape[0] ?? 1;
  const values = new Float64Array(batch * input.values.length);
  for (let image = 0; image < batch; image++) {
    values.set(input.values, image * input.values.length);
  }
  const images = { ...input, shape: [batch, ...input.shape], values };
  const [output] = evaluate(graph, new Map([[port.name, images]]));
  return [...output!.values.slice(0, output!.values.length / batch)];
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
