/** Models of other tools, run through the imported network in plain loops. */
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { portOf } from "../../compiler/ir/graph.js";
import { build } from "../../compiler/network/build.js";
import { runGraph } from "../../compiler/ops/run-graph.js";
import { stepGraphs } from "../../compiler/passes/step-graphs.js";
import type { ForeignGraph } from "../../interchange/foreign-graph.js";
import { importGraph, type ImportedModel } from "../../interchange/import-graph.js";
import { importerOf } from "../../interchange/formats.js";
import { ImportError } from "../../interchange/error.js";
import type { ImportFile, ImportSource } from "../../interchange/importer.js";
import { evaluate } from "../../interchange/reference/evaluate.js";
import type { Program } from "../../program/program.js";

/** Of no account: nothing is trained here. */
const OPTIMIZER: Program["optimizer"] = {
  kind: "sgd",
  learningRate: 0.1,
  momentum: 0,
  weightDecay: 0,
  nesterov: false,
  convention: "pytorch",
};

export interface Case {
  readonly folder: string;
  readonly files: readonly string[];
  readonly input: readonly number[];
  readonly tolerance: number;
}

export function caseNamed(name: string): Case {
  const folder = join(import.meta.dirname, "../fixtures/models", name);
  const json = JSON.parse(readFileSync(join(folder, "case.json"), "utf8")) as Case & {
    readonly args: readonly string[];
  };
  return { folder, files: json.args, input: json.input, tolerance: json.tolerance };
}

export function floatsIn(path: string): Float32Array {
  const bytes = readFileSync(path);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

/** Reads files of one folder, the model first. */
export function sourceOf(folder: string, files: readonly string[]): ImportSource {
  const [file, weights] = files.map((name): ImportFile => {
    return { path: name, bytes: new Uint8Array(readFileSync(join(folder, name))) };
  });
  return {
    file: file!,
    weights,
    sibling: (name) => Promise.resolve(new Uint8Array(readFileSync(join(folder, basename(name))))),
  };
}

/** The same from memory: files by name, the first one is the model. */
export function sourceIn(
  files: Readonly<Record<string, Uint8Array>>,
  args: readonly string[],
): ImportSource {
  const [file, weights] = args.map((path): ImportFile => ({ path, bytes: files[path]! }));
  return {
    file: file!,
    weights,
    sibling: (name) => {
      const bytes = Object.hasOwn(files, name) ? files[name] : undefined;
      return bytes ? Promise.resolve(bytes) : Promise.reject(new ImportError(`no file ${name}`));
    },
  };
}

export async function readForeign(source: ImportSource): Promise<ForeignGraph> {
  return importerOf(source.file).read(source);
}

export const imported = (graph: ForeignGraph): ImportedModel =>
  importGraph(graph, { name: "Imported" });

/** What the imported network gives: the ops of its layers in plain loops. */
export function predicted({ network, tensors }: ImportedModel, images: Float32Array) {
  const { predict: graph } = stepGraphs(build(network), { fusion: "none", optimizer: OPTIMIZER });
  const parameters = new Map(tensors.map(({ name, values }) => [name, values]));
  const context = { seed: 1, step: 0, training: false, optimizer: OPTIMIZER };
  const values = runGraph(graph, { images, parameters, context });
  return values.get(portOf(graph, "prediction").id)!.data;
}

/** What the foreign graph gives by the rules of its operators, before it is mapped. */
export function evaluated(graph: ForeignGraph, images: Float32Array, shape: readonly number[]) {
  const tensor = { kind: "float" as const, shape, values: images };
  return evaluate(graph, new Map([[graph.inputs[0]!.name, tensor]]))[0]!.values;
}

/** ||got - expected|| / ||expected||; not a number where one of them is. */
export function relativeError(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [difference, size] = [0, 0];
  if (got.length !== expected.length) return NaN;
  for (let index = 0; index < expected.length; index++) {
    difference += (got[index]! - expected[index]!) ** 2;
    size += expected[index]! ** 2;
  }
  return Math.sqrt(difference / size);
}
