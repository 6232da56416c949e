/**
 * Precision and recall of each class at every threshold of its probability
 * (https://scikit-learn.org/stable/modules/generated/sklearn.metrics.average_precision_score.html).
 */

/** Recall and the precision at it, both 0 to 1. */
export type CurvePoint = readonly [recall: number, precision: number];

export interface PrecisionRecallCurve {
  /** The area under the curve, 0 to 1; null for a class without examples. */
  readonly averagePrecision: number | null;
  /** By rising recall, at most MOST_POINTS of them. */
  readonly points: readonly CurvePoint[];
}

const MOST_POINTS = 60;

/** Collects the probabilities of all classes, 4 bytes each. */
export class PrecisionRecallCounts {
  private readonly labels: number[] = [];
  private readonly rows: Float32Array[] = [];

  constructor(private readonly classes: number) {}

  add(actual: number, probabilities: Float32Array): void {
    this.labels.push(actual);
    this.rows.push(Float32Array.from(probabilities));
  }

  /** A curve for each class. */
  curves(): PrecisionRecallCurve[] {
    return Array.from({ length: this.classes }, (_, label) => this.curveOf(label));
  }

  private curveOf(label: number): PrecisionRecallCurve {
    const support = this.labels.filter((each) => each === label).length;
    if (support === 0) return { averagePrecision: null, points: [] };
    const scoreOf = (index: number) => this.rows[index]![label] ?? 0;
    const order = [...this.labels.keys()].sort((a, b) => scoreOf(b) - scoreOf(a));
    const points: CurvePoint[] = [];
    let [hits, area, recall] = [0, 0, 0];
    order.forEach((index, place) => {
      hits += Number(this.labels[index] === label);
      // Examples of one score are above the same thresholds.
      const next = order[place + 1];
      if (next !== undefined && scoreOf(next) === scoreOf(index)) return;
      const precision = hits / (place + 1);
      area += (hits / support - recall) * precision;
      recall = hits / support;
      points.push([recall, precision]);
    });
    return { averagePrecision: area, points: thinOut(points) };
  }
}

/** The first, the last, and points between them at even distances in recall. */
function thinOut(points: readonly CurvePoint[]): CurvePoint[] {
  let due = 0;
  return points.filter(([recall], index) => {
    if (index > 0 && index < points.length - 1 && recall < due) return false;
    due = recall + 1 / (MOST_POINTS - 2);
    return true;
  });
}
