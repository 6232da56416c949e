/** Examples of several pictures: which pictures an example is made of, and their batches. */
import { TUPLE_INPUTS, type TupleKind } from "../../program/tuples.js";
import type { Dataset, ExampleKey } from "./dataset.js";
import { DataError } from "./error.js";
import { tupleAt } from "./random.js";
import { knownMembers } from "./sampling.js";

/** A picture of an example, and what keys its random transforms. */
export interface DrawnPicture {
  readonly index: number;
  readonly key: ExampleKey;
}

export interface DrawnTuple {
  readonly pictures: readonly DrawnPicture[];
  /** The class of the first of them. */
  readonly label: number;
  /** Of two pictures, whether they are of one class. */
  readonly isSame: boolean;
}

/** Examples of an epoch are fewer: keys of an example's other pictures lie this far apart. */
const KEYS_APART = 2 ** 30;

/**
 * The pictures that belong to the one at `index`. They follow from the key alone, so that a resumed
 * run draws the same ones; those of an evaluation stay the same from epoch to epoch.
 */
export function drawTuple(
  dataset: Dataset & { readonly tuples: TupleKind },
  index: number,
  key: ExampleKey,
): DrawnTuple {
  const drawn = tupleAt(key);
  const label = dataset.labelAt!(index);
  const same = () => pictureOfClass(dataset, index, drawn[1]);
  const other = () => pictureOfOthers(dataset, index, [drawn[2], drawn[3]]);
  const isSame = drawn[0] < 0.5;
  const isTriplet = dataset.tuples === "triplets";
  const others = isTriplet ? [same(), other()] : [isSame ? same() : other()];
  const pictures = [index, ...others].map((each, place) => {
    return { index: each, key: { ...key, example: key.example + place * KEYS_APART } };
  });
  return { pictures, label, isSame };
}

/** Another picture of the same class. */
function pictureOfClass(dataset: Dataset, index: number, drawn: number): number {
  const own = knownMembers(dataset)[dataset.labelAt!(index)]!;
  const at = Math.floor(drawn * (own.length - 1));
  // Members are in the order of their indices: the picture itself is passed over.
  return own[at]! < index ? own[at]! : own[at + 1]!;
}

/** A picture of another class; all classes are equally likely. */
function pictureOfOthers(
  dataset: Dataset,
  index: number,
  [first, second]: readonly [number, number],
): number {
  const own = dataset.labelAt!(index);
  const others = knownMembers(dataset).filter((each, label) => label !== own && each.length > 0);
  const chosen = others[Math.floor(first * others.length)]!;
  return chosen[Math.floor(second * chosen.length)]!;
}

/**
 * The dataset with examples of several pictures. Throws a DataError where labels are not known
 * before images are read, where there is one class, and for a class with one picture.
 */
export function withTuples(dataset: Dataset, tuples: TupleKind): Dataset {
  const { name, classes } = dataset;
  if (!dataset.labelAt) {
    throw new DataError(
      `\`${tuples}\` needs the class of each picture, which ${name} does not say before it is read`,
    );
  }
  const members = knownMembers(dataset);
  const present = members.filter(({ length }) => length > 0).length;
  if (present < 2) {
    throw new DataError(
      `\`${tuples}\` needs pictures of two classes at least, and ${name} has ` +
        (present === 0 ? "none" : "one class: there is nothing to tell apart"),
      "put pictures of another class into a second folder, or give them another label",
    );
  }
  const alone = members.findIndex(({ length }) => length === 1);
  if (alone < 0) return { ...dataset, tuples, ...noteOfIncomplete() };
  throw new DataError(
    `\`${tuples}\` needs a second picture of each class, and the class ` +
      `${classes[alone] ?? alone} of ${name} has one: nothing is the same as it`,
    "add pictures to the class, or leave it out; with a holdout, both splits need two of each",
  );
}

/** Remembers which examples were left out. */
function noteOfIncomplete(): Required<Pick<Dataset, "noteIncomplete" | "incomplete">> {
  const found = new Set<number>();
  return { noteIncomplete: (index) => found.add(index), incomplete: () => found.size };
}

/** Floats of this many tuples, one picture after the other, by the inputs' names. */
export function byInput(
  values: Float32Array,
  tuples: TupleKind,
  count: number,
): Readonly<Record<string, Float32Array>> {
  const names: readonly string[] = TUPLE_INPUTS[tuples];
  const size = values.length / (count * names.length);
  const own = names.map((name, place) => {
    const pictures = new Float32Array(count * size);
    for (let example = 0; example < count; example++) {
      const from = (example * names.length + place) * size;
      pictures.set(values.subarray(from, from + size), example * size);
    }
    return [name, pictures] as const;
  });
  return Object.fromEntries(own);
}
