/** Which classes a classifier takes for which. */

export interface ClassResult {
  readonly name: string;
  /** Examples of the class. */
  readonly support: number;
  /** Precision: the share of examples predicted as the class that belong to it; null if none. */
  readonly precision: number | null;
  /** Recall: the share of the class's examples that were predicted as it; null if none. */
  readonly recall: number | null;
}

/** Examples of class `actual` that were predicted as `predicted`. */
export interface Confusion {
  readonly actual: number;
  readonly predicted: number;
  readonly count: number;
}

/** A row for each true class, a column for each predicted class. */
export type ConfusionMatrix = readonly (readonly number[])[];

/** Counts how examples are taken. */
export class ConfusionCounts {
  readonly matrix: number[][];
  /** For each class, the examples without a prediction: their scores are not finite. */
  readonly unjudged: number[];

  constructor(classes: number) {
    this.matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
    this.unjudged = new Array<number>(classes).fill(0);
  }

  /** Adds an example of a class with its predicted class, if it has one. */
  add(actual: number, predicted: number | undefined): void {
    if (predicted === undefined) this.unjudged[actual]!++;
    else this.matrix[actual]![predicted]!++;
  }
}

/**
 * Precision, recall and support of each class (https://en.wikipedia.org/wiki/Precision_and_recall).
 * Examples without a prediction are not in the matrix, and count as mistakes.
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
