import type { Metrics } from "./network.js";

/** Sums of metrics over examples. */
export interface MeanState {
  readonly examples: number;
  readonly sums: Readonly<Record<string, number>>;
}

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

  /** The sums so far, from which another mean goes on. */
  get state(): MeanState {
    return { examples: this.examples, sums: Object.fromEntries(this.sums) };
  }

  static from(state: MeanState | undefined): MetricsMean {
    const mean = new MetricsMean();
    if (state === undefined) return mean;
    mean.examples = state.examples;
    // JSON knows no NaN and writes null.
    for (const [name, sum] of Object.entries(state.sums)) mean.sums.set(name, sum ?? NaN);
    return mean;
  }

  /** The means, in the order in which the names came first; none without examples. */
  values(): Metrics {
    return Object.fromEntries([...this.sums].map(([name, sum]) => [name, sum / this.examples]));
  }
}
