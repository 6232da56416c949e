/** An analysis that takes no longer than this is not waited for, in milliseconds. */
const UNNOTICED = 20;
const LONGEST_DELAY = 300;

/**
 * Runs a task for each document soon after it has changed: at once where that is quick, and where
 * it is not, once the typing has paused for about as long as the task takes.
 */
export class Publisher {
  private readonly waiting = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(
    private readonly task: (uri: string) => void,
    private readonly durationOf: (uri: string) => number,
  ) {}

  schedule(uri: string): void {
    this.cancel(uri);
    const duration = this.durationOf(uri);
    const delay = duration <= UNNOTICED ? 0 : Math.min(duration, LONGEST_DELAY);
    const run = () => {
      this.waiting.delete(uri);
      this.task(uri);
    };
    this.waiting.set(uri, setTimeout(run, delay));
  }

  cancel(uri: string): void {
    clearTimeout(this.waiting.get(uri));
    this.waiting.delete(uri);
  }
}
