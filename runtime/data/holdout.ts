/**
 * A seeded fraction of a dataset that is held out for evaluation, where it has no splits. Where
 * labels are known, each class gives the same share of its examples, as in scikit-learn's
 * `train_test_split(..., stratify=labels)`.
 */
import type { Holdout } from "../../program/recipe.js";
import type { Dataset } from "./dataset.js";
import { DataError } from "./error.js";
import { prepareExample } from "./memory.js";
import { holdoutOrder } from "./random.js";

/** Which examples may be seen does not depend on a run's seed: those held out stay held out. */
const HOLDOUT_SEED = 0;

/** The examples of one side. Throws a DataError where there are none. */
export function withHoldout(dataset: Dataset, holdout: Holdout): Dataset {
  const { share } = holdout;
  const chosen = examplesOf(dataset, holdout);
  if (chosen.length === 0) {
    throw new DataError(
      `a holdout of ${share} leaves none of the ${dataset.length} examples ` +
        `of ${dataset.name} for this split`,
      "choose a share that leaves both splits at least one example; " +
        "of a class with one example, none is held out",
    );
  }
  return {
    ...dataset,
    labelAt: dataset.labelAt && ((index) => dataset.labelAt!(chosen[index]!)),
    nameAt: dataset.nameAt && ((index) => dataset.nameAt!(chosen[index]!)),
    groupAt: dataset.groupAt && ((index) => dataset.groupAt!(chosen[index]!)),
    length: chosen.length,
    get: (index) => dataset.get(chosen[index]!),
    prepare: (index, stage) => prepareExample(dataset, chosen[index]!, stage),
  };
}

/** What decides which examples are held out. */
export type Divided = Pick<Dataset, "name" | "length" | "labelAt" | "nameAt" | "groupAt">;

/** The examples of one side, in their order. */
export function examplesOf(dataset: Divided, { share, takes, by }: Holdout): Uint32Array {
  const isHeld = by === undefined ? heldOut(dataset, share) : heldOutGroups(dataset, share, by);
  return Uint32Array.from(isHeld.keys()).filter((index) => isHeld[index] === (takes === "holdout"));
}

/** Of each example, whether it is held out. */
function heldOut(dataset: Divided, share: number): readonly boolean[] {
  const order = holdoutOrder(dataset.length, HOLDOUT_SEED);
  const total = Math.round(dataset.length * share);
  const labelAt = dataset.labelAt?.bind(dataset) ?? (() => 0);
  const left = quotas(order, labelAt, { share, total });
  const isHeld = new Array<boolean>(dataset.length).fill(false);
  for (const index of order) {
    const label = labelAt(index);
    if (left.get(label)! <= 0) continue;
    left.set(label, left.get(label)! - 1);
    isHeld[index] = true;
  }
  return isHeld;
}

/**
 * The same for groups that stay whole. They are visited in a seeded order; one is held out if that
 * brings the counts of its classes closer to their shares. Throws a DataError for an example
 * without a group.
 */
function heldOutGroups(dataset: Divided, share: number, by: string): readonly boolean[] {
  if (share === 0) {
    throw new DataError(`by="${by}" has no effect without a holdout`, "add `holdout=0.2`");
  }
  const order = holdoutOrder(dataset.length, HOLDOUT_SEED);
  const labelAt = dataset.labelAt?.bind(dataset) ?? (() => 0);
  const left = quotas(order, labelAt, { share, total: Math.round(dataset.length * share) });
  const isHeld = new Array<boolean>(dataset.length).fill(false);
  for (const members of groupsOf(dataset, order, by)) {
    const counts = new Map<number, number>();
    for (const index of members) counts.set(labelAt(index), (counts.get(labelAt(index)) ?? 0) + 1);
    const gains = [...counts].map(([label, count]) => {
      const fitting = Math.min(count, Math.max(0, left.get(label)!));
      return fitting - (count - fitting);
    });
    if (gains.reduce((sum, gain) => sum + gain, 0) <= 0) continue;
    for (const [label, count] of counts) left.set(label, left.get(label)! - count);
    for (const index of members) isHeld[index] = true;
  }
  return isHeld;
}

/** Examples of each group, the groups in the order of their first examples. */
function groupsOf(dataset: Divided, order: Uint32Array, by: string): Iterable<readonly number[]> {
  const groupAt = dataset.groupAt?.bind(dataset) ?? groupInName(dataset, by);
  const groups = new Map<string, number[]>();
  for (const index of order) {
    const group = groupAt(index);
    const members = groups.get(group);
    if (members) members.push(index);
    else groups.set(group, [index]);
  }
  return groups.values();
}

/** What a pattern finds in the names of examples. Throws a DataError where it finds nothing. */
function groupInName(dataset: Divided, by: string): (index: number) => string {
  const pattern = patternOf(by);
  return (index) => {
    const name = dataset.nameAt?.(index) ?? "";
    const found = pattern.exec(name);
    if (found) return found[1] ?? found[0];
    throw new DataError(
      `by="${by}" finds nothing in ${name || `the examples of ${dataset.name}`}`,
      'each path needs a part that names its group: `by="(patient[0-9]+)"`',
    );
  };
}

function patternOf(by: string): RegExp {
  try {
    return new RegExp(by, "u");
  } catch (error) {
    throw new DataError(`by="${by}" is not a regular expression: ${(error as Error).message}`);
  }
}

/**
 * How many examples of each class are held out: `total` by the method of the largest remainders,
 * but where a class would have none left to train on.
 */
function quotas(
  order: Uint32Array,
  labelAt: (index: number) => number,
  { share, total }: { readonly share: number; readonly total: number },
): Map<number, number> {
  const counts = new Map<number, number>();
  for (const index of order) counts.set(labelAt(index), (counts.get(labelAt(index)) ?? 0) + 1);
  const whole = new Map([...counts].map(([label, count]) => [label, Math.floor(count * share)]));
  let rest = total - [...whole.values()].reduce((sum, count) => sum + count, 0);
  const remainder = (label: number) => counts.get(label)! * share - whole.get(label)!;
  const candidates = [...counts.keys()]
    .filter((label) => counts.get(label)! - whole.get(label)! >= 2)
    .sort((a, b) => remainder(b) - remainder(a) || a - b);
  for (const label of candidates) {
    if (rest <= 0) break;
    whole.set(label, whole.get(label)! + 1);
    rest--;
  }
  return whole;
}
