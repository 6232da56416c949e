/** Steps that the rate is taken over: settled steps come in pairs, since one runs ahead. */
const WINDOW = 8;

/** Examples per second over the last few steps. */
export class Throughput {
  private readonly recent: { readonly at: number; readonly count: number }[] = [];
  private start = performance.now();

  /** Starts again, after a pause that is not training. */
  restart(): void {
    this.recent.length = 0;
    this.start = performance.now();
  }

  /** Counts the examples of a step that has just ended, and returns the rate. */
  add(count: number): number {
    const at = performance.now();
    this.recent.push({ at, count });
    if (this.recent.length > WINDOW) this.start = this.recent.shift()!.at;
    const examples = this.recent.reduce((sum, step) => sum + step.count, 0);
    return (examples * 1000) / Math.max(at - this.start, 1e-3);
  }
}
