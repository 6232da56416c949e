/** How well a network tells each tag: accuracy, precision and recall. */
import type { ReportedTag } from "../report/data.js";
import { numbersOf, rowOf } from "../runtime/evaluation/index.js";
import { comparedBatches, type ComparedBatch, type Comparing } from "./compared-batches.js";
import type { Tags } from "./tags.js";

interface Counts {
  readonly tags: Tags;
  /** For each tag, how many examples: `right[tag]`. */
  readonly actual: Uint32Array;
  readonly predicted: Uint32Array;
  readonly both: Uint32Array;
  readonly right: Uint32Array;
}

/** What batches say of tags. */
export class TagCounts {
  private readonly all: readonly Counts[];
  private examples = 0;

  constructor(tags: readonly Tags[]) {
    this.all = tags.map(emptyCounts);
  }

  add({ outputs, targets, count }: ComparedBatch): void {
    for (const each of this.all) {
      addBatch(each, count, {
        logits: numbersOf(outputs, each.tags.output),
        wanted: numbersOf(targets, each.tags.target),
      });
    }
    this.examples += count;
  }

  results(): readonly ReportedTag[] {
    return this.all.flatMap((each) => resultsOf(each, this.examples));
  }
}

/**
 * A pass over the examples. None where the network has no tags, and where the signal stopped it.
 */
export async function tagResults(
  comparing: Comparing,
  tags: readonly Tags[],
  signal?: AbortSignal,
): Promise<readonly ReportedTag[]> {
  if (tags.length === 0) return [];
  const counts = new TagCounts(tags);
  for await (const batch of comparedBatches(comparing)) {
    if (signal?.aborted) return [];
    counts.add(batch);
  }
  return counts.results();
}

function emptyCounts(tags: Tags): Counts {
  const zeros = () => new Uint32Array(tags.names.length);
  return { tags, actual: zeros(), predicted: zeros(), both: zeros(), right: zeros() };
}

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
): readonly ReportedTag[] {
  const share = (part: number, whole: number) => (whole > 0 ? part / whole : null);
  return tags.names.map((name, tag) => ({
    name,
    support: actual[tag]!,
    accuracy: right[tag]! / examples,
    precision: share(both[tag]!, predicted[tag]!),
    recall: share(both[tag]!, actual[tag]!),
  }));
}
