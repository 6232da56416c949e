/** Whose class names hold: those of the weights, of the train split, or of the split itself. */
import type { Dataset } from "../../data/dataset.js";
import { DataError } from "../../data/error.js";

/** Names of the classes that a split has examples of; undefined where its labels are not known. */
function presentClasses(dataset: Dataset): ReadonlySet<string> | undefined {
  if (!dataset.labelAt) return undefined;
  const labels = new Set<number>();
  for (let index = 0; index < dataset.length; index++) labels.add(dataset.labelAt(index));
  return new Set([...labels].map((label) => dataset.classes[label] ?? String(label)));
}

/** Names of the classes that a split has no example of; none where its labels are not known. */
export function absentClasses(dataset: Dataset): string[] {
  const present = presentClasses(dataset);
  return present ? dataset.classes.filter((name) => !present.has(name)) : [];
}

/** What to say of classes that one split has and the other does not. */
export function describeDifferences(train: Dataset, evaluation: Dataset): string[] {
  const [trained, evaluated] = [presentClasses(train), presentClasses(evaluation)];
  if (!trained || !evaluated) return [];
  const missing = (from: ReadonlySet<string>, other: ReadonlySet<string>) =>
    [...other].filter((name) => !from.has(name)).sort();
  // Both splits may be of one source, so its name alone would not tell them apart.
  const one = { name: `the train split (${train.name})` };
  const other = { name: `the eval split (${evaluation.name})` };
  return [
    ...describeAbsent(other, missing(evaluated, trained), `, which ${one.name} has`),
    ...describeAbsent(one, missing(trained, evaluated), `, which ${other.name} has`),
  ];
}

/** `data/val has no examples of 2 classes: cat, dog`; nothing where it has of all. */
export function describeAbsent(
  { name }: Pick<Dataset, "name">,
  absent: readonly string[],
  addition = "",
): string[] {
  if (absent.length === 0) return [];
  const which = absent.length === 1 ? "a class" : `${absent.length} classes`;
  return [`${name} has no examples of ${which}${addition}: ${listShort(absent)}`];
}

/** Whether class names are mere numbers, which mean the same in every split. */
export const areNumbers = (classes: readonly string[]): boolean =>
  classes.every((name, label) => name === String(label));

/**
 * Throws a DataError where neither the weights nor a train split say which number each class has,
 * and the split has fewer classes than the network: some are missing, and others have their
 * numbers.
 */
export function requireAllClasses(dataset: Dataset, classes: number | undefined): void {
  const found = dataset.classes.length;
  if (classes === undefined || found >= classes || areNumbers(dataset.classes)) return;
  const many = found === 1 ? "1 class" : `${found} classes`;
  throw new DataError(
    `${dataset.name} has ${many} (${listShort(dataset.classes)}), the network has ` +
      `${classes}, and the weights do not name theirs: the numbers of these classes are unknown`,
    "netc's weights files name their classes; for others, the spec's train split must be readable",
  );
}

export function listShort(names: readonly string[]): string {
  return names.slice(0, 5).join(", ") + (names.length > 5 ? ", ..." : "");
}
