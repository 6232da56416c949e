/** Which examples an epoch draws by their classes, with replacement. */
import type { Sampling } from "../../program/recipe.js";
import type { Dataset, ExampleKey } from "./dataset.js";
import { DataError } from "./error.js";
import { sampleAt } from "./random.js";

interface SampledOrder extends Pick<ExampleKey, "seed" | "epoch"> {
  readonly sampling: Sampling;
}

/**
 * As many draws as there are examples, each a function of seed, epoch and its place: a class with a
 * probability by its weight and its number of examples, and any of these. Throws a DataError where
 * labels are not known before images are read, no example can be drawn, or classes have no weight.
 */
export function sampledOrder(dataset: Dataset, { sampling, ...key }: SampledOrder): Uint32Array {
  const members = knownMembers(dataset);
  checkWeights(dataset, members, sampling);
  const ends = endsOf(members, sampling);
  const total = ends.at(-1) ?? 0;
  if (total === 0) {
    throw new DataError(
      `${dataset.name} has no example of a class that \`sampling\` may draw`,
      "give a class that has examples a weight above 0",
    );
  }
  return Uint32Array.from({ length: dataset.length }, (_, place) => {
    const [first, second] = sampleAt(key, place);
    const ofClass = members[classAt(ends, first * total)]!;
    return ofClass[Math.floor(second * ofClass.length)]!;
  });
}

/** A class without a weight would never be drawn. The compiler knows no classes of tuples. */
function checkWeights({ name, classes, tuples }: Dataset, members: Members, by: Sampling): void {
  if (by.kind !== "weighted") return;
  const given = by.weights.length;
  const count = Math.max(members.length, classes.length);
  if (tuples === undefined ? given >= count : given === count) return;
  throw new DataError(
    `\`weighted\` has ${given} numbers, but ${name} has ${count} classes`,
    "give one number for each class, in the order of the labels",
  );
}

/** The first class whose share ends after this place: there is one. */
function classAt(ends: readonly number[], drawn: number): number {
  let [low, high] = [0, ends.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (drawn < ends[middle]!) high = middle;
    else low = middle + 1;
  }
  return low;
}

type Members = readonly (readonly number[])[];

/** Of datasets that an epoch was drawn from: labels do not change from epoch to epoch. */
const MEMBERS = new WeakMap<Dataset, Members>();

/** The examples of each label, in their order; empty for a label without any. */
export function knownMembers(dataset: Dataset): Members {
  const members = MEMBERS.get(dataset) ?? membersOf(dataset);
  MEMBERS.set(dataset, members);
  return members;
}

/** The examples of each label. */
function membersOf(dataset: Dataset): Members {
  if (!dataset.labelAt) {
    throw new DataError(
      `\`sampling\` needs the label of each example, which ${dataset.name} does not tell ` +
        "before the image is read",
      "leave `sampling` out",
    );
  }
  const members: number[][] = [];
  for (let index = 0; index < dataset.length; index++)
    (members[dataset.labelAt(index)] ??= []).push(index);
  return Array.from(members, (each) => each ?? []);
}

/** Where the share of each class ends, one after the other. */
function endsOf(members: Members, sampling: Sampling): readonly number[] {
  let end = 0;
  return members.map(({ length }, label) => {
    if (sampling.kind === "balanced") end += Number(length > 0);
    else end += length * (sampling.weights[label] ?? 0);
    return end;
  });
}
