/** Models of TensorFlow.js: `model.json`, and its shards in the same folder. */
import { ImportError } from "../error.js";
import type { ForeignGraph } from "../foreign-graph.js";
import type { ImportFile, Importer, ImportSource } from "../importer.js";
import { decodeUtf8, parseJson } from "../json.js";
import { graphOf } from "../keras/graph.js";
import { readModel } from "../keras/model.js";
import type { KerasWeights } from "../keras/weights.js";
import { isObject, type JsonObject } from "../settings.js";
import { readGraphModel } from "./graph-model.js";
import { readWeights, type NamedTensor } from "./weights.js";

/** Bytes in which a file of JSON says what it is. */
const START = 4096;

export const tfjs: Importer = {
  format: "TensorFlow.js",
  extensions: ["model.json"],
  sniff,
  read,
};

/** JSON whose first or last part names the weights. */
function sniff({ bytes }: ImportFile): boolean {
  const parts = [bytes.subarray(0, START), bytes.subarray(-START)];
  const [start, end] = parts.map((part) => new TextDecoder().decode(part)) as [string, string];
  if (!start.trimStart().startsWith("{")) return false;
  return /"(weightsManifest|modelTopology)"/.test(start) || end.includes('"weightsManifest"');
}

async function read({ file, sibling }: ImportSource): Promise<ForeignGraph> {
  const json = parseJson(decodeUtf8(file.bytes, file.path), file.path);
  if (!isObject(json)) throw new ImportError(`${file.path} is not a model of TensorFlow.js`);
  const topology = json["modelTopology"];
  if (!isObject(topology)) throw new ImportError(`${file.path} has no \`modelTopology\``);
  const tensors = await readWeights(json["weightsManifest"], sibling);
  const made = `TensorFlow.js${saidBy(json["generatedBy"])}`;
  if ("node" in topology) {
    return readGraphModel(topology, tensors, `${made}, graph model`, json["signature"]);
  }
  return layersModel(topology, tensors, `${made}, layers model`);
}

const saidBy = (tool: unknown) => (typeof tool === "string" ? `, by ${tool.slice(0, 60)}` : "");

function layersModel(
  topology: JsonObject,
  tensors: readonly NamedTensor[],
  source: string,
): ForeignGraph {
  const config = topology["model_config"] ?? topology;
  // `hard_sigmoid` has the slope 0.2 in TensorFlow.js, whatever Keras the model comes from.
  return graphOf({ model: readModel(config), weights: weightsIn(tensors), version: 2, source });
}

/** `conv/kernel`; within models and name scopes there are more parts before. */
function weightsIn(tensors: readonly NamedTensor[]): KerasWeights {
  const byLayer = new Map<string, NamedTensor[]>();
  for (const tensor of tensors) {
    const layer = tensor.name.split("/").at(-2) ?? "";
    byLayer.set(layer, [...(byLayer.get(layer) ?? []), tensor]);
  }
  return (path) =>
    (byLayer.get(path.at(-1)!.split("/").at(-1)!) ?? []).map((tensor) => ({
      name: tensor.name.split("/").at(-1)!.replace(/:\d+$/, ""),
      shape: tensor.shape,
      read: () => tensor.read(),
    }));
}
