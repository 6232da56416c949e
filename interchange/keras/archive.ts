/** Models as `.keras`: a zip file of `config.json` and `model.weights.h5`. */
import { ImportError } from "../error.js";
import type { ForeignGraph } from "../foreign-graph.js";
import { decodeUtf8, parseJson } from "../json.js";
import { isObject } from "../settings.js";
import { sourceOf } from "../zip/byte-source.js";
import { readDirectory, readRecord, type ZipFile } from "../zip/read.js";
import { snakeCase } from "./group-names.js";
import { graphOf } from "./graph.js";
import { openHdf5, type Hdf5Group } from "./hdf5.js";
import { readModel, type KerasLayer, type KerasModel } from "./model.js";
import { versionOf } from "./version.js";
import type { KerasWeight, KerasWeights } from "./weights.js";

const CONFIG = "config.json";
const METADATA = "metadata.json";
const WEIGHTS = "model.weights.h5";
/** What a file may become when it is taken out of the archive, as a multiple of the archive. */
const MOST_EXPANSION = 4;

/** Throws an ImportError for a broken archive. */
export function readArchive(bytes: Uint8Array): ForeignGraph {
  const fileIn = filesIn(bytes);
  const jsonOf = (name: string) =>
    parseJson(decodeUtf8(fileIn(name), `\`${name}\``), `\`${name}\``);
  const metadata = jsonOf(METADATA);
  const said = isObject(metadata) ? metadata["keras_version"] : undefined;
  const version = typeof said === "string" ? said : "3";
  const model = readModel(jsonOf(CONFIG));
  const weights = weightsIn(model, openHdf5(fileIn(WEIGHTS)));
  return graphOf({
    model,
    weights,
    version: versionOf(version),
    source: `Keras ${version}, .keras`,
  });
}

/** The files of the archive, which together may be as long as its expansion allows. */
function filesIn(bytes: Uint8Array): (name: string) => Uint8Array {
  const archive: ZipFile = {
    source: sourceOf(bytes),
    damaged: (why) => new ImportError(`this .keras file cannot be read: ${why}`),
  };
  const records = readDirectory(archive);
  let left = MOST_EXPANSION * bytes.length;
  return (name) => {
    const record = records.get(name) ?? withoutFile(name);
    const file = readRecord(archive, record, left);
    left -= file.length;
    return file;
  };
}

function withoutFile(name: string): never {
  throw new ImportError(`this zip file has no \`${name}\`: it is not a Keras model`, [
    'save the model with model.save("NAME.keras")',
  ]);
}

/**
 * Layers are not found by their names: a group is called after the layer's class, `conv2d`, and
 * its number among layers of that class, `conv2d_1`. Weights are numbered.
 */
function weightsIn(model: KerasModel, root: Hdf5Group): KerasWeights {
  return (path) => {
    let [inner, group]: [KerasModel | undefined, Hdf5Group | undefined] = [model, root];
    for (const name of path) {
      const found: KerasLayer | undefined = inner?.layers.find((layer) => layer.name === name);
      const layers: Hdf5Group | undefined = CONTAINERS.map((each) => group?.group(each)).find(
        Boolean,
      );
      group = inner && layers?.group(groupNameOf(inner, name));
      inner = found?.inner;
    }
    const numbers = group?.group("vars");
    return (numbers?.keys ?? [])
      .filter((key) => /^\d+$/.test(key))
      .sort((a, b) => Number(a) - Number(b))
      .map((key): KerasWeight => numbers!.dataset(key) ?? missing(path, key));
  };
}

/** Of Keras 3, and of 2.12 to 2.15. */
const CONTAINERS = ["layers", "_layer_checkpoint_dependencies"];

function groupNameOf({ layers }: KerasModel, name: string): string {
  const counted = layers.filter(({ isFunction }) => !isFunction);
  const place = counted.findIndex((layer) => layer.name === name);
  const own = snakeCase(counted[place]?.className ?? "");
  const before = counted.slice(0, Math.max(0, place));
  const count = before.filter(({ className }) => snakeCase(className) === own).length;
  return count === 0 ? own : `${own}_${count}`;
}

function missing(path: readonly string[], key: string): never {
  throw new ImportError(`weight ${key} of \`${path.join("/")}\` is not a dataset`);
}
