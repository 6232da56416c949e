/**
 * Recall@1 of embeddings: the share of examples whose nearest other example is of their class
 * (Jegou, Douze and Schmid, 2011; as in Oh Song et al., arXiv:1511.06452).
 */
import { RECALL_QUERIES } from "../../program/tuples.js";

/** Rows of numbers with their classes, in the order in which they come. */
export class RecallMeasure {
  private readonly rows: Float32Array[] = [];
  private readonly classes: number[] = [];
  private spoilt = 0;

  /** `most` rows at most look for their nearest one among all. */
  constructor(private readonly most = RECALL_QUERIES) {}

  /** Rows with a number that is not finite: they are never right. */
  get notFinite(): number {
    return this.spoilt;
  }

  /** A row for each class, one after the other. */
  add(output: Float32Array, classes: Uint32Array): void {
    const size = output.length / classes.length;
    classes.forEach((label, index) => {
      const row = output.slice(index * size, (index + 1) * size);
      if (!row.every(Number.isFinite)) this.spoilt++;
      this.rows.push(row);
      this.classes.push(label);
    });
  }

  /** By Euclidean distance; of equally near ones the first counts. A row with NaN has none. */
  result(): number {
    const { rows, classes } = this;
    const queries = Math.min(rows.length, this.most);
    let found = 0;
    for (let query = 0; query < queries; query++) {
      const index = Math.floor((query * rows.length) / queries);
      const nearest = this.nearestTo(index);
      if (nearest !== undefined && classes[nearest] === classes[index]) found++;
    }
    return found / queries;
  }

  private nearestTo(index: number): number | undefined {
    let best = Infinity;
    let nearest: number | undefined;
    this.rows.forEach((row, other) => {
      if (other === index) return;
      const distance = squaredDistance(this.rows[index]!, row, best);
      if (distance < best) [best, nearest] = [distance, other];
    });
    return nearest;
  }
}

/** Numbers between looks at the limit: a look costs about as much as two of them. */
const AT_ONCE = 16;

/** Anything of at least `limit` once the sum is above it. */
export function squaredDistance(a: Float32Array, b: Float32Array, limit = Infinity): number {
  let sum = 0;
  for (let start = 0; start < a.length; start += AT_ONCE) {
    const end = Math.min(a.length, start + AT_ONCE);
    for (let at = start; at < end; at++) {
      const difference = a[at]! - b[at]!;
      sum += difference * difference;
    }
    if (sum > limit) return sum;
  }
  return sum;
}
