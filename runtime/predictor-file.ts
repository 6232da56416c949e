/** What a network that only predicts reads files with. */
import type { DownloadOptions, Metadata } from "./calls.js";
import type { OwnSource } from "./copies.js";
import { WeightsError } from "./errors.js";
import type { Loaded } from "./loaded.js";
import { namedClasses, readWeightsFile, withFile } from "./weights-file.js";
import { AVERAGE_PREFIX, matchWeights, OPTIMIZER_PREFIX } from "./weights.js";

export { packPiece, unpackPiece } from "./layout.js";

export interface PredictorFile {
  readonly metadata: Metadata;
  /** Names of the classes, where the file has them. */
  readonly classes: readonly string[] | undefined;
  readonly warning: string | undefined;
}

/** Fills the parameters. Rejects with a WeightsError, and changes nothing, if the file is wrong. */
export function load(
  loaded: Loaded,
  names: readonly string[] | undefined,
  { source, ...options }: DownloadOptions & { readonly source: OwnSource },
): Promise<PredictorFile> {
  return withFile(source, options, (bytes) => fill(loaded, names, bytes));
}

async function fill(
  loaded: Loaded,
  names: readonly string[] | undefined,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<PredictorFile> {
  const { tensors, metadata } = await readWeightsFile(bytes);
  const ofTraining = [...tensors.keys()].find(
    (name) => name.startsWith(OPTIMIZER_PREFIX) || name.startsWith(AVERAGE_PREFIX),
  );
  if (ofTraining !== undefined) {
    throw new WeightsError(
      `this file is a checkpoint (\`${ofTraining}\`), and this network only predicts: ` +
        "load best.safetensors or weights.safetensors of the run",
    );
  }
  const { values, averages, prefix } = await matchWeights(loaded.program, tensors, {
    optimizer: false,
  });
  const classes = await namedClasses(loaded.program, names, metadata);
  await loaded.put({ values, averages });
  if (prefix === "") return { metadata, classes, warning: undefined };
  const { describePrefix } = await import("./weights-problems.js");
  return { metadata, classes, warning: describePrefix(prefix) };
}
