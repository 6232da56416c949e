/**
 * Weights that torch.save wrote, in either of its formats, or that are in a TorchScript archive.
 * No code of a file is ever run: see pickle.ts and rebuild.ts. The numbers are read on demand,
 * storage by storage, from ranges of the file.
 */
import { WeightsError } from "../../runtime/errors.js";
import type { ByteSource } from "../zip/byte-source.js";
import { isZip } from "../zip/read.js";
import { readArchive } from "./archive.js";
import type { Checkpoint } from "./checkpoint.js";
import { readBytes } from "./cursor.js";
import { readLegacy } from "./legacy.js";
import { countOf, isReadable, readNumbers } from "./numbers.js";
import { findStateDict } from "./state-dict.js";
import type { TensorView } from "./values.js";

export { sourceOf, type ByteSource } from "../zip/byte-source.js";

/** A tensor as a file describes it. */
export interface DescribedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** As PyTorch calls it: `float16`. */
  readonly type: string;
}

export interface PyTorchWeights {
  /** In the order of the file: that in which the modules were defined. */
  readonly tensors: readonly DescribedTensor[];
  /** Where in the file they are: `state_dict`; empty where they are all of it. */
  readonly path: string;
  /** Other dictionaries of tensors, such as averages. */
  readonly others: readonly string[];
  /** The numbers of some tensors, by name, as f32. Throws WeightsError where they are damaged. */
  readonly read: (names: readonly string[]) => ReadonlyMap<string, Float32Array>;
}

/** Bytes of f32 for each byte of the file: more comes only from views that repeat numbers. */
const MOST_GROWTH = 4;

const PICKLE = 0x80;

/** Whether a file begins as those of torch.save do. */
export function isPyTorch(source: ByteSource): boolean {
  if (source.size < 4) return false;
  const start = readBytes(source, 0, 4);
  const isPickle = start[0] === PICKLE && start[1]! >= 2 && start[1]! <= 5;
  return isPickle || isZip(start);
}

/**
 * Reads what a file describes, without its numbers; with `key`, the weights by that path in it.
 * Throws WeightsError for a file that is damaged, holds no weights, or wants to run code.
 */
export function openPyTorch(source: ByteSource, key?: string): PyTorchWeights {
  const checkpoint = openCheckpoint(source);
  const { path, others, tensors } = findStateDict(checkpoint.root, key);
  return {
    path,
    others,
    tensors: [...tensors].map(([name, { shape, storage }]) => {
      return { name, shape, type: storage.type.name };
    }),
    read: (names) => readNumbers(checkpoint, chosen(tensors, names, source)),
  };
}

function openCheckpoint(source: ByteSource): Checkpoint {
  const [first] = source.size > 0 ? readBytes(source, 0, 1) : [];
  return first === PICKLE ? readLegacy(source) : readArchive(source);
}

function chosen(
  tensors: ReadonlyMap<string, TensorView>,
  names: readonly string[],
  { size }: ByteSource,
): ReadonlyMap<string, TensorView> {
  const views = new Map(names.map((name) => [name, tensors.get(name)!]));
  for (const [name, { storage }] of views) {
    if (isReadable(storage.type)) continue;
    throw new WeightsError(`\`${name}\` has type ${storage.type.name}, which weights cannot have`);
  }
  const bytes = [...views.values()].reduce((sum, view) => sum + 4 * countOf(view), 0);
  if (bytes <= MOST_GROWTH * size) return views;
  throw new WeightsError(
    `these tensors take ${bytes} bytes in a file of ${size}: ` +
      "they repeat its numbers, as no weights do",
  );
}
