/** Labels as they stand in files, to numbers. */
import { DataError } from "../../data/error.js";

export interface LabelNumbers {
  readonly classes: readonly string[];
  readonly labelOf: (label: string) => number;
}

/**
 * Whole numbers are labels as they stand; other labels are names, numbered in sorted order, or in that of `classes` where training has
 * given them numbers. Throws a DataError for names that training does not have.
 */
export function labelNumbers(
  labels: readonly string[],
  { name, classes }: { readonly name: string; readonly classes?: readonly string[] | undefined },
): LabelNumbers {
  const distinct = [...new Set(labels)].sort();
  if (distinct.every((label) => /^\d{1,6}$/.test(label))) {
    const highest = distinct.reduce((most, label) => Math.max(most, Number(label)), 0);
    const numbered = Array.from({ length: highest + 1 }, (_, label) => String(label));
    const isLonger = classes && classes.length > numbered.length;
    return { classes: isLonger ? classes : numbered, labelOf: Number };
  }
  const known = classes ?? distinct;
  refuseUnknownClasses(name, distinct, known);
  const numbers = new Map(known.map((label, index) => [label, index]));
  return { classes: known, labelOf: (label) => numbers.get(label)! };
}

/** Throws a DataError for classes that are not among those of training. */
export function refuseUnknownClasses(
  name: string,
  found: readonly string[],
  classes: readonly string[],
): void {
  const unknown = found.filter((each) => !classes.includes(each));
  if (unknown.length === 0) return;
  const names = unknown.slice(0, 5).join(", ") + (unknown.length > 5 ? ", ..." : "");
  throw new DataError(
    `${name} has ${unknown.length === 1 ? "a class" : `${unknown.length} classes`} that training does not have: ${names}`,
    "the classes of all splits need the same names",
  );
}
