/** Models as `.keras`: a zip file of `config.json` and `model.weights.h5`. */
import { unzipSync } from "fflate";
import { ImportError } from "../error.js";
import type { ForeignGraph } from "../foreign-graph.js";
import { decodeUtf8, parseJson } from "../json.js";
import { isObject } from "../settings.js";
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

const ZIP = [0x50, 0x4b, 0x03, 0x04];
export const isZip = (bytes: Uint8Array) => ZIP.every((byte, index) => bytes[index] === byte);

/** Throws an ImportError for a broken archive. */
export function readArchive(bytes: Uint8Array): ForeignGraph {
  const files = filesIn(bytes);
  const jsonOf = (name: string) =>
    parseJson(decodeUtf8(fileIn(files, name), `\`${name}\``), `\`${name}\``);
  const metadata = jsonOf(METADATA);
  const said = isObject(metadata) ? metadata["keras_version"] : undefined;
  const version = typeof said === "string" ? said : "3";
  const model = readModel(jsonOf(CONFIG));
  const weights = weightsIn(model, openHdf5(fileIn(files, WEIGHTS)));
  return graphOf({
    model,
    weights,
    version: versionOf(version),
    source: `Keras ${version}, .keras`,
  });
}

function filesIn(bytes: Uint8Array): Readonly<Record<string, Uint8Array>> {
  const wanted = new Set([CONFIG, METADATA, WEIGHTS]);
  let total = 0;
  try {
    return unzipSync(bytes, {
      filter: ({ name, originalSize }) => {
        if (!wanted.has(name)) return false;
        total += originalSize;
        if (total > MOST_EXPANSION * bytes.length) {
          throw new ImportError(`\`${name}\` in this archive would be ${originalSize} bytes long`);
        }
        return true;
      },
    });
  } catch (error) {
    if (error instanceof ImportError) throw error;
    throw new ImportError(
      `this .keras file is not a complete zip file: ${(error as Error).message}`,
    );
  }
}

function fileIn(files: Readonly<Record<string, Uint8Array>>, name: string): Uint8Array {
  const file = files[name];
  if (file) return file;
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
