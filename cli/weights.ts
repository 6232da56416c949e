/** Weights files, and the names of classes that travel in their metadata. */
import type { LoadOptions } from "../runtime/calls.js";
import type { Dataset, TableFacts } from "../runtime/data/dataset.js";
import type { Network } from "../runtime/network.js";
import { readMetadata, serializeTensors } from "../runtime/safetensors.js";
import type { Shaped } from "../interchange/weights/modules.js";
import { FileSource } from "./file-source.js";
import { describeReadError, readBytes } from "./files.js";
import {
  announceMatching,
  explained,
  isOwnFile,
  matchWeights,
  pyTorchWeights,
  requireMatched,
  safetensorsWeights,
  underOwnNames,
  type FileWeights,
  type MatchedFile,
  type MatchOptions,
} from "./foreign-weights.js";

export interface WeightsFile {
  readonly path: string;
  /** A safetensors file under the model's names. */
  readonly bytes: Uint8Array;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads a file of weights, of netc, PyTorch or safetensors, for a model with these parameters, and
 * checks that it is whole and fits, before any GPU is asked for.
 */
export function readWeights(
  path: string,
  own: readonly Shaped[],
  options: MatchOptions = {},
): Promise<WeightsFile> {
  return useWeights(path, own, options, ({ weights, matching, bytes }) => {
    const { metadata } = weights;
    if (bytes && !options.rename?.length && isOwnFile(matching)) return { path, bytes, metadata };
    requireMatched(matching, options.except ? "ignored" : "refused");
    announceMatching(path, weights, matching);
    const own = underOwnNames(weights, matching);
    return { path, bytes: serializeTensors(own.tensors, own.metadata), metadata };
  });
}

/**
 * Opens a file of weights, matches it with a model's parameters, and closes it after `use`. What is
 * wrong with the file ends the command.
 */
export async function useWeights<Result>(
  path: string,
  own: readonly Shaped[],
  options: MatchOptions,
  use: (matched: MatchedFile) => Result,
): Promise<Result> {
  const matched = (weights: FileWeights, bytes?: Uint8Array) =>
    use({ weights, matching: matchWeights(weights, own, options), bytes });
  const fromPyTorch = await usePyTorch(path, options.key, (weights) => ({
    result: matched(weights),
  }));
  if (fromPyTorch) return fromPyTorch.result;
  const bytes = await readBytes(path, "weights");
  return explained(path, () => matched(safetensorsWeights(bytes), bytes));
}

/** What `use` makes of a PyTorch file while it is open; undefined for a file of another kind. */
async function usePyTorch<Result>(
  path: string,
  key: string | undefined,
  use: (file: FileWeights) => Result,
): Promise<Result | undefined> {
  try {
    return await explained(path, () =>
      FileSource.use(path, (source) => {
        const file = pyTorchWeights(source, key);
        return file && use(file);
      }),
    );
  } catch (error) {
    throw isOfSystem(error) ? describeReadError(error, path, "weights") : error;
  }
}

const isOfSystem = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && "code" in error && typeof error.code === "string";

/** Puts weights into a network, without what the file may hold of a training's state. */
export async function loadWeights(
  network: Network,
  { path, bytes }: WeightsFile,
  options: Pick<LoadOptions, "except"> = {},
): Promise<void> {
  await explained(path, () => network.load(bytes, { ...options, optimizer: false }));
}

/** The class names in the first of these files that can be read; undefined where it names none. */
export function classNamesIn(paths: readonly string[]): readonly string[] | undefined {
  const metadata = metadataIn(paths);
  return metadata && classNamesOf({ metadata });
}

/** What the first of these files that can be read says of the table that it was trained on. */
export function tableIn(paths: readonly string[]): TableFacts | undefined {
  const metadata = metadataIn(paths);
  return metadata && tableOf({ metadata });
}

function metadataIn(paths: readonly string[]): WeightsFile["metadata"] | undefined {
  for (const path of paths) {
    const metadata = lookIntoMetadata(path);
    if (metadata) return metadata;
  }
  return undefined;
}

function lookIntoMetadata(path: string): Readonly<Record<string, string>> | undefined {
  try {
    return FileSource.use(path, (source) => readMetadata(rangesOf(source)));
  } catch {
    // Whoever reads the whole file says what is wrong with it.
    return undefined;
  }
}

/** Bytes of a file from a place on, fewer at its end. */
export const rangesOf = (source: FileSource) => (start: number, length: number) => {
  const bytes = new Uint8Array(Math.max(0, Math.min(length, source.size - start)));
  source.readInto(bytes, start);
  return bytes;
};

const [CLASSES, TABLE] = ["classes", "table"] as const;

/** What weights say of the data that they were trained on. */
export function dataMetadata({ classes, table }: Pick<Dataset, "classes" | "table">) {
  const own: Record<string, string> = { [CLASSES]: JSON.stringify(classes) };
  return table ? { ...own, [TABLE]: JSON.stringify(table) } : own;
}

/** What the columns of the table that weights were trained on are; undefined if unknown. */
export function tableOf({ metadata }: Pick<WeightsFile, "metadata">): TableFacts | undefined {
  try {
    const table: unknown = JSON.parse(metadata[TABLE] ?? "null");
    return table instanceof Object && !Array.isArray(table) ? table : undefined;
  } catch {
    return undefined;
  }
}

/** The names that a weights file brings along; undefined where it has none. */
export function classNamesOf({
  metadata,
}: Pick<WeightsFile, "metadata">): readonly string[] | undefined {
  try {
    const names: unknown = JSON.parse(metadata[CLASSES] ?? "null");
    return Array.isArray(names) ? names.map(String) : undefined;
  } catch {
    return undefined;
  }
}
