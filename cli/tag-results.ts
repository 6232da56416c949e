/** How well a network tells each tag: accuracy, precision and recall. */
import { imageOf } from "../program/tensors.js";
import type { Transform } from "../program/transforms.js";
import type { Dataset } from "../runtime/data/dataset.js";
import { loadBatches } from "../runtime/data/index.js";
import { rowOf } from "../runtime/evaluation/index.js";
import type { Network } from "../runtime/network.js";
import type { Tags } from "./tags.js";

/** Shares from 0 to 1. A tag is predicted where its probability is above one half. */
export interface TagResult {
  readonly name: string;
  /** Examples that have it, by one half or more. */
  readonly support: number;
  /** Of all examples. */
  readonly accuracy: number;
  /** Null where it is predicted of no example. */
  readonly precision: number | null;
  /** Null where no example has it. */
  readonly recall: number | null;
}

interface Counts {
  readonly tags: Tags;
  /** For each tag, how many examples: `right[tag]`. */
  readonly actual: Uint32Array;
  readonly predicted: Uint32Array;
  readonly both: Uint32Array;
  readonly right: Uint32Array;
}

/** A pass over the examples. None where the network has no tags. */
export async function tagResults(
  network: Network,
  dataset: Dataset,
  {
    transforms,
    tags,
  }: { readonly transforms: readonly Transform[]; readonly tags: readonly Tags[] },
): Promise<readonly TagResult[]> {
  if (tags.length === 0) return [];
  const all = tags.map(emptyCounts);
  let examples = 0;
  for await (const { images, targets, count } of loadBatches(dataset, {
    batch: network.batch,
    shape: imageOf(network.program),
    transforms,
    seed: 0,
    epoch: 0,
    shuffle: false,
  })) {
    const outputs: unknown = await network.predict(images);
    for (const each of all) {
      addBatch(each, count, {
        logits: numbersOf(outputs, each.tags.output),
        wanted: numbersOf(targets, each.tags.target),
      });
    }
    examples += count;
  }
  return all.flatMap((each) => resultsOf(each, examples));
}

function emptyCounts(tags: Tags): Counts {
  const zeros = () => new Uint32Array(tags.names.length);
  return { tags, actual: zeros(), predicted: zeros(), both: zeros(), right: zeros() };
}

/** Of several by name, or the one. */
const numbersOf = (values: unknown, name: string): Float32Array =>
  values instanceof Float32Array
    ? values
    : (values as Readonly<Record<string, Float32Array>>)[name]!;

function addBatch(
  { tags, actual, predicted, both, right }: Counts,
  count: number,
  { logits, wanted }: Readonly<Record<"logits" | "wanted", Float32Array>>,
): void {
  for (let index = 0; index < count; index++) {
    const [own, target] = [rowOf(logits, count, index), rowOf(wanted, count, index)];
    tags.names.forEach((_, tag) => {
      // NaN is neither above 0 nor below: it counts as wrong.
      const [isThere, isFound] = [target[tag]! >= 0.5, own[tag]! > 0];
      if (isThere) actual[tag]!++;
      if (isFound) predicted[tag]!++;
      if (isThere && isFound) both[tag]!++;
      if (isThere ? isFound : own[tag]! <= 0) right[tag]!++;
    });
  }
}

function resultsOf(
  { tags, actual, predicted, both, right }: Counts,
  examples: number,
): readonly TagResult[] {
  const share = (part: number, whole: number) => (whole > 0 ? part / whole : null);
  return tags.names.map((name, tag) => ({
    name,
    support: actual[tag]!,
    accuracy: right[tag]! / examples,
    precision: share(both[tag]!, predicted[tag]!),
    recall: share(both[tag]!, actual[tag]!),
  }));
}
