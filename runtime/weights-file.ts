/** Files of weights as networks load them, and the names of classes in them. */
import type { Program } from "../program/program.js";
import { classesOf } from "../program/tensors.js";
import type { DownloadOptions, Metadata } from "./calls.js";
import type { OwnSource } from "./copies.js";
import { isSmall, readTensors, splitFile, viewed, type TensorFile } from "./tensor-file.js";

/** Hands `use` a file's bytes, which may have to come from somewhere (download.ts). */
export async function withFile<Result>(
  source: OwnSource,
  options: DownloadOptions,
  use: (bytes: Uint8Array<ArrayBuffer>) => Promise<Result>,
): Promise<Result> {
  const { cache, onProgress, signal } = options;
  if (source instanceof Uint8Array && !(cache ?? onProgress ?? signal)) return use(source);
  return (await import("./download.js")).withDownload(source, options, use);
}

/** Reads a whole file. Rejects with a WeightsError that says what is wrong with it. */
export async function readWeightsFile(bytes: Uint8Array): Promise<TensorFile> {
  const read = isSmall(await headerOf(bytes)) ? await importSmall() : readTensors;
  return read(bytes, viewed);
}

/** Rejects with what the file is instead where it has no header. */
async function headerOf(bytes: Uint8Array) {
  try {
    return splitFile(bytes).header;
  } catch (error) {
    throw (await import("./explain-file.js")).explained(bytes, error);
  }
}

/** What reads integers with scales, which most files do not have. */
const importSmall = async () => (await import("./read-small-weights.js")).readSmallWeights;

/**
 * The class names of a file; undefined where it has none. Rejects with a WeightsError where they
 * are not those that the network has.
 */
export async function namedClasses(
  program: Program,
  classes: readonly string[] | undefined,
  metadata: Metadata,
): Promise<readonly string[] | undefined> {
  const names = listIn(metadata["classes"]);
  const count = classesOf(program);
  if (!names || count === undefined) return undefined;
  if (names.length === count && names.every((name, index) => name === (classes ?? names)[index])) {
    return names;
  }
  throw (await import("./weights-problems.js")).otherClasses(names, classes ?? [count]);
}

/** A list of text; undefined for anything else, which other programs may mean. */
function listIn(text: string | undefined): readonly string[] | undefined {
  try {
    const names: unknown = JSON.parse(text ?? "null");
    return Array.isArray(names) ? names.map(String) : undefined;
  } catch {
    return undefined;
  }
}
