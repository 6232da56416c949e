/** Which classes a classifier takes for which. */

export interface ClassResult {
  readonly name: string;
  /** Examples of the class. */
  readonly support: number;
  /** The share of those taken for the class that are of it; null where none was. */
  readonly precision: number | null;
  /** The share of the class's examples that were taken for it; null where there are none. */
  readonly recall: number | null;
}

/** Examples of class `actual` that were taken for `predicted`. */
export interface Confusion {
  readonly actual: number;
  readonly predicted: number;
  readonly count: number;
}

/** A row for each class that examples are of, a column for each that they are taken for. */
export type ConfusionMatrix = readonly (readonly number[])[];

/** Counts how examples are taken. */
export class ConfusionCounts {
  readonly matrix: number[][];
  /** For each class, the examples that are taken for none: their scores are not finite. */
  readonly unjudged: number[];

  constructor(classes: number) {
    this.matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
    this.unjudged = new Array<number>(classes).fill(0);
  }

  /** Takes in an example of a class, and what it is taken for, if for anything. */
  add(actual: number, predicted: number | undefined): void {
    if (predicted === undefined) this.unjudged[actual]!++;
    else this.matrix[actual]![predicted]!++;
  }
}

/**
 * Precision, recall and support of each class (https://en.wikipedia.org/wiki/Precision_and_recall).
 * Examples that were taken for nothing are not in the matrix, and were not recognized.
 */
export function classResults(
  matrix: ConfusionMatrix,
  names: readonly string[],
  unjudged: readonly number[] = [],
): ClassResult[] {
  return matrix.map((row, label) => {
    const support = sum(row) + (unjudged[label] ?? 0);
    const taken = sum(matrix.map((other) => other[label]!));
    const hits = row[label]!;
    return {
      name: names[label] ?? `class ${label}`,
      support,
      precision: taken === 0 ? null : hits / taken,
      recall: support === 0 ? null : hits / support,
    };
  });
}

/** Pairs of different classes, those mistaken most often first. */
export function worstConfusions(matrix: ConfusionMatrix): Confusion[] {
  return matrix
    .flatMap((row, actual) => row.map((count, predicted) => ({ actual, predicted, count })))
    .filter(({ actual, predicted, count }) => actual !== predicted && count > 0)
    .sort((a, b) => b.count - a.count);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
