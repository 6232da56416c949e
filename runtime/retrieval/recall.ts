/**
 * Recall@1 of embeddings: the share of examples whose nearest other example is of their class
 * (Jegou, Douze and Schmid, 2011; as in Oh Song et al., arXiv:1511.06452).
 */

/** Rows of numbers with their classes, in the order in which they come. */
export class RecallMeasure {
  private readonly rows: Float32Array[] = [];
  private readonly classes: number[] = [];

  /** A row for each class, one after the other. */
  add(output: Float32Array, classes: Uint32Array): void {
    const size = output.length / classes.length;
    classes.forEach((label, index) => {
      this.rows.push(output.slice(index * size, (index + 1) * size));
      this.classes.push(label);
    });
  }

  /** By Euclidean distance; of equally near ones the first counts. A row with NaN has none. */
  result(): number {
    const { rows, classes } = this;
    const found = rows.filter((_, index) => {
      const nearest = this.nearestTo(index);
      return nearest !== undefined && classes[nearest] === classes[index];
    });
    return found.length / rows.length;
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

/** Anything above `limit` once the sum is. */
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
