/** Weights files, and the names of classes that travel in their metadata. */
import { closeSync, readSync } from "node:fs";
import type { LoadOptions } from "../runtime/calls.js";
import type { Network } from "../runtime/network.js";
import { WeightsError } from "../runtime/errors.js";
import { parseTensors, readMetadata } from "../runtime/safetensors.js";
import { openFileSync } from "../runtime/node/read-file.js";
import { wrongInput } from "./failure.js";
import { readBytes } from "./files.js";

export interface WeightsFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Reads a safetensors file and checks that it is whole, before any GPU is asked for. */
export async function readWeights(path: string): Promise<WeightsFile> {
  const bytes = await readBytes(path, "weights");
  return explained(path, () => ({ path, bytes, metadata: parseTensors(bytes).metadata }));
}

/** Puts weights into a network, without what the file may hold of a training's state. */
export async function loadWeights(
  network: Network,
  { path, bytes }: WeightsFile,
  options: Pick<LoadOptions, "except"> = {},
): Promise<void> {
  await explained(path, () => network.load(bytes, { ...options, optimizer: false }));
}

/** Puts the file's name in front of what is wrong with it. */
async function explained<Result>(
  path: string,
  action: () => Result | Promise<Result>,
): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof WeightsError) throw wrongInput(`${path}: ${error.message}`);
    throw error;
  }
}

/** The class names in the first of these files that can be read; undefined where it names none. */
export function classNamesIn(paths: readonly string[]): readonly string[] | undefined {
  for (const path of paths) {
    const metadata = lookIntoMetadata(path);
    if (metadata) return classNamesOf({ metadata });
  }
  return undefined;
}

function lookIntoMetadata(path: string): Readonly<Record<string, string>> | undefined {
  let file: number | undefined;
  try {
    const descriptor = (file = openFileSync(path));
    return readMetadata((start, length) => {
      const bytes = new Uint8Array(length);
      return bytes.subarray(0, readSync(descriptor, bytes, 0, length, start));
    });
  } catch {
    // Whoever reads the whole file says what is wrong with it.
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

const CLASSES = "classes";

export function classesMetadata(classes: readonly string[]): Record<string, string> {
  return { [CLASSES]: JSON.stringify(classes) };
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
