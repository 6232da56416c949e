/** What tests do with imported models. */
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { portOf } from "../../compiler/ir/graph.js";
import { build } from "../../compiler/network/build.js";
import { runGraph } from "../../compiler/ops/run-graph.js";
import { forInference } from "../../compiler/passes/inference.js";
import { importerOf } from "../../interchange/formats.js";
import type { ForeignGraph } from "../../interchange/foreign-graph.js";
import { importGraph, type ImportedModel } from "../../interchange/import-graph.js";
import { specText } from "../../interchange/spec-text.js";

/** Without `input`, the file must say its sizes. */
export async function imported(path: string, { input }: { readonly input?: readonly number[] }) {
  const graph = await readModel(path, await readFile(path));
  const model = importGraph(graph, { name: "Imported", input });
  return { graph, model, text: await specText(model, basename(path)) };
}

export function readModel(path: string, bytes: Uint8Array): Promise<ForeignGraph> {
  const file = { path, bytes };
  return importerOf(file).read({
    file,
    sibling: async (name, { offset = 0, length } = { offset: 0 }) => {
      const whole = await readFile(join(dirname(path), name));
      return whole.subarray(offset, length === undefined ? undefined : offset + length);
    },
  });
}

const CONTEXT = {
  seed: 0,
  step: 0,
  training: false,
  optimizer: { kind: "sgd", learningRate: 0, momentum: 0, weightDecay: 0, nesterov: false },
} as never;

/** What the network's graph gives for these images, by the references of its ops. */
export function outputsOf(
  { network, tensors }: ImportedModel,
  images: Float32Array | Float64Array,
): Float32Array | Float64Array {
  const graph = forInference(build(network));
  const parameters = new Map(tensors.map(({ name, values }) => [name, values]));
  const values = runGraph(graph, { images, parameters, context: CONTEXT });
  return values.get(portOf(graph, "prediction").id)!.data as Float64Array;
}

export function relativeError(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [difference, size] = [0, 0];
  for (let index = 0; index < expected.length; index++) {
    difference += (got[index]! - expected[index]!) ** 2;
    size += expected[index]! ** 2;
  }
  return got.length === expected.length ? Math.sqrt(difference / size) : Infinity;
}
