import { addMeasurements, meansOf, type Measurement } from "../measurement.js";
import type { Metrics } from "./network.js";

/** Sums of metrics over examples: plain data, from which another mean continues. */
export type MeanState = Measurement;

const NOTHING: Measurement = { examples: 0, notFinite: 0, sums: [] };

/**
 * The mean of metrics over batches or steps: their sums and weights, which are divided at the end.
 */
export class MetricsMean {
  private constructor(private total: Measurement) {}

  static from(state: MeanState = NOTHING): MetricsMean {
    // JSON knows no NaN and writes null.
    const sums = state.sums.map((each) => ({ ...each, sum: each.sum ?? NaN }));
    return new MetricsMean({ ...state, sums });
  }

  add(measurement: Measurement): void {
    this.total = addMeasurements(this.total, measurement);
  }

  /** Examples so far. */
  get examples(): number {
    return this.total.examples;
  }

  /** Those of them of which a value was not finite. */
  get notFinite(): number {
    return this.total.notFinite;
  }

  /** The sums so far. */
  get state(): MeanState {
    return this.total;
  }

  /** The means, in the order of the metrics; none without examples. */
  values(): Metrics {
    return meansOf(this.total);
  }
}
