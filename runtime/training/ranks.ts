/** The points that all ranks of a run pass together, and how an error of one reaches the others. */
import { InputError, NetcError } from "../errors.js";
import type { Arrival, Collective } from "./collective.js";

/** Another rank ended with an error, so this one ends, too. */
export class PeerFailedError extends NetcError {
  override readonly name: string = "PeerFailedError";
}

/** What an arrival says of an error. */
interface FailedContent {
  readonly message: string;
}

const MESSAGE_LENGTH = 500;

/** Those whose ranks know that one of them has failed: they meet no more. */
const ended = new WeakSet<Collective>();

export class Ranks {
  /** Whether a rank was asked to stop: all of them know, at the same point. */
  isStopping = false;
  /** Steps done, for arrivals. */
  step = 0;
  /** Whether ranks add up gradients, where no rank can say that it failed. */
  protected isAdding = false;

  constructor(
    protected readonly collective: Collective,
    private readonly signal?: AbortSignal,
  ) {}

  get rank(): number {
    return this.collective.rank;
  }

  /** Which part of each batch this rank takes. */
  get part(): { readonly rank: number; readonly size: number } {
    const { rank, size } = this.collective;
    return { rank, size };
  }

  /** `rank 2 (node7)`. */
  nameOf(rank: number): string {
    const host = this.collective.hosts?.[rank];
    return host === undefined ? `rank ${rank}` : `rank ${rank} (${host})`;
  }

  /** Runs this rank's part of a run: an error of its own reaches all others. */
  async guarding<Result>(run: () => Promise<Result>): Promise<Result> {
    try {
      return await run();
    } catch (error) {
      await this.tell(error);
      throw error;
    }
  }

  /**
   * Waits for all ranks. Resolves to what each brings, in the order of ranks. Throws a
   * PeerFailedError where one has ended.
   */
  async meet<Content>(content: Content): Promise<readonly Content[]> {
    const status = this.signal?.aborted ? "stopping" : "ready";
    const all = await this.collective.arrive({ status, step: this.step, content });
    this.look(all);
    return all.map((arrival) => arrival.content as Content);
  }

  /** What rank 0 has. */
  async ofRank0<Value>(own: Value): Promise<Value> {
    return (await this.meet<Value>(own))[0]!;
  }

  private look(all: readonly Arrival[]): void {
    if (all.some(({ status }) => status === "stopping")) this.isStopping = true;
    const failed = all.findIndex(({ status }) => status === "failed");
    if (failed >= 0) {
      ended.add(this.collective);
      const { message } = all[failed]!.content as FailedContent;
      throw new PeerFailedError(`${this.nameOf(failed)} ended the run: ${message}`);
    }
    const other = all.findIndex(({ step }) => step !== all[0]!.step);
    if (other < 0) return;
    throw new InputError(
      `${this.nameOf(other)} is at step ${all[other]!.step} and rank 0 at step ${all[0]!.step}: ` +
        "all ranks must begin from the same state",
    );
  }

  /** Tells the others of an error of this rank, unless they know of one. */
  private async tell(error: unknown): Promise<void> {
    if (ended.has(this.collective)) return;
    ended.add(this.collective);
    const message = (error instanceof Error ? error.message : String(error)).split("\n")[0]!;
    if (this.isAdding) return this.collective.abort(message);
    const content: FailedContent = { message: message.slice(0, MESSAGE_LENGTH) };
    // What the others say does not matter any more.
    await this.collective.arrive({ status: "failed", step: this.step, content }).catch(() => {});
  }
}
