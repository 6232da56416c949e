/** The points that all ranks of a run pass together, and how an error of one reaches the others. */
import { InputError } from "../errors.js";
import type { Arrival, Collective } from "./collective.js";
import { RunFailedError } from "./error.js";

/** Another rank ended with an error, so this one ends, too. */
export class PeerFailedError extends RunFailedError {
  override readonly name: string = "PeerFailedError";
}

/** Another rank gives no sign of life: it cannot say itself what ended the run. */
export class SilentRankError extends PeerFailedError {
  override readonly name: string = "SilentRankError";
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

  /**
   * Runs this rank's part of a run: its errors reach all others. An error that a rank
   * before this one has, too, is that rank's: this one throws a PeerFailedError.
   */
  async guarding<Result>(run: () => Promise<Result>): Promise<Result> {
    try {
      return await run();
    } catch (error) {
      throw await this.tell(error);
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

  /** Waits until no meeting of this rank is under way. */
  protected settle(): Promise<void> {
    return Promise.resolve();
  }

  private look(all: readonly Arrival[]): void {
    if (all.some(({ status }) => status === "stopping")) this.isStopping = true;
    const failed = all.findIndex(hasFailed);
    if (failed >= 0) {
      ended.add(this.collective);
      throw this.peerFailed(failed, messageOf(all[failed]!));
    }
    const other = all.findIndex(({ step }) => step !== all[0]!.step);
    if (other < 0) return;
    throw new InputError(
      `${this.nameOf(other)} is at step ${all[other]!.step} and rank 0 at step ${all[0]!.step}: ` +
        "all ranks must begin from the same state",
    );
  }

  private peerFailed(rank: number, message: string): PeerFailedError {
    return new PeerFailedError(`${this.nameOf(rank)} ended the run: ${message}`);
  }

  /**
   * Tells the others of an error of this rank, unless they know of one. Resolves to the error with
   * which this rank ends.
   */
  private async tell(error: unknown): Promise<unknown> {
    await this.settle();
    if (ended.has(this.collective)) return error;
    ended.add(this.collective);
    const [line = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    const message = line.slice(0, MESSAGE_LENGTH);
    if (this.isAdding) {
      this.collective.abort(message);
      return error;
    }
    const content: FailedContent = { message };
    const arrival = { status: "failed", step: this.step, content } as const;
    const all = await this.collective.arrive(arrival).catch(() => []);
    const first = all.findIndex((each) => hasFailed(each) && messageOf(each) === message);
    return first >= 0 && first < this.rank ? this.peerFailed(first, message) : error;
  }
}

const hasFailed = ({ status }: Arrival): boolean => status === "failed";

const messageOf = ({ content }: Arrival): string => (content as FailedContent).message;
