/** Whole models as `.h5`, which Keras 2 and 3 write in the same form. */
import { ImportError } from "../error.js";
import type { ForeignGraph } from "../foreign-graph.js";
import { parseJson } from "../json.js";
import { graphOf } from "./graph.js";
import { openHdf5, type Hdf5Group } from "./hdf5.js";
import { readModel } from "./model.js";
import { versionOf } from "./version.js";
import type { KerasWeight, KerasWeights } from "./weights.js";

/** Throws an ImportError for a broken file, and for one that holds weights alone. */
export function readH5(bytes: Uint8Array): ForeignGraph {
  const file = openHdf5(bytes);
  const config = file.text("model_config");
  if (config === undefined) {
    throw new ImportError("this HDF5 file has no `model_config`: it holds weights alone", [
      "save the whole model: model.save(FILE), not model.save_weights(FILE)",
    ]);
  }
  const said = file.text("keras_version") ?? "2";
  const weights = file.group("model_weights");
  if (!weights) throw new ImportError("this HDF5 file has no group `model_weights`");
  return graphOf({
    model: readModel(parseJson(config, "the `model_config` of this HDF5 file")),
    weights: weightsIn(weights),
    version: versionOf(said),
    source: `Keras ${said}, HDF5`,
  });
}

/** A group for each layer of the model; `weight_names` has the order, and the models within. */
function weightsIn(root: Hdf5Group): KerasWeights {
  return (path) => {
    const [top, ...within] = path;
    const group = root.group(top!);
    if (!group) return [];
    const own = within.at(-1);
    const names = group.texts("weight_names").map((name) => name.split("/"));
    const wanted = own === undefined ? names : names.filter((parts) => parts.at(-2) === own);
    return wanted.map((parts) => weightOf(group, parts));
  };
}

function weightOf(group: Hdf5Group, parts: readonly string[]): KerasWeight {
  const path = parts.join("/");
  const dataset = group.dataset(path);
  if (!dataset) throw new ImportError(`the weight \`${path}\` is not in the file`);
  const name = parts.at(-1)!.replace(/:\d+$/, "");
  return { name, shape: dataset.shape, read: () => dataset.read() };
}
