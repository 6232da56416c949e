import type { Metrics } from "./network.js";

/** The mean of metrics over batches, each weighted by its number of examples. */
export class MetricsMean {
  /** Examples so far. */
  examples = 0;
  private readonly sums = new Map<string, number>();

  add(metrics: Metrics, examples: number): void {
    this.examples += examples;
    for (const [name, value] of Object.entries(metrics)) {
      this.sums.set(name, (this.sums.get(name) ?? 0) + value * examples);
    }
  }

  /** The means, in the order in which the names came first; none without examples. */
  values(): Metrics {
    return Object.fromEntries([...this.sums].map(([name, sum]) => [name, sum / this.examples]));
  }
}
