/** How much of a run's time goes by while it waits for data. */
export class WaitingTime {
  private waited = 0;
  private since = performance.now();

  /** The same batches; the time until each is there is waiting. */
  async *measure<Batch>(batches: AsyncIterable<Batch>): AsyncGenerator<Batch, void, void> {
    let asked = performance.now();
    for await (const batch of batches) {
      this.waited += performance.now() - asked;
      yield batch;
      asked = performance.now();
    }
  }

  /** The share since it was asked last, 0 to 1. */
  share(): number {
    const passed = performance.now() - this.since;
    const share = Math.min(1, this.waited / Math.max(passed, 1e-3));
    this.restart();
    return share;
  }

  /** Starts again, after a pause that is not training. */
  restart(): void {
    this.waited = 0;
    this.since = performance.now();
  }
}
