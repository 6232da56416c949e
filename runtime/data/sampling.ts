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
 * labels are not known before images are read, or no example can be drawn.
 */
export function sampledOrder(dataset: Dataset, { sampling, ...key }: SampledOrder): Uint32Array {
  const members = membersOf(dataset);
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
    const drawn = first * total;
    const ofClass = members[ends.findIndex((end) => drawn < end)]!;
    return ofClass[Math.floor(second * ofClass.length)]!;
  });
}

/** The examples of each label. */
function membersOf(dataset: Dataset): readonly (readonly number[])[] {
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
function endsOf(members: readonly (readonly number[])[], sampling: Sampling): readonly number[] {
  let end = 0;
  return members.map(({ length }, label) => {
    if (sampling.kind === "balanced") end += Number(length > 0);
    else end += length * (sampling.weights[label] ?? 0);
    return end;
  });
}
