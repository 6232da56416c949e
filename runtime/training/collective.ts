/** How networks in several processes, or in one, take part in the same run. */
import { InputError } from "../errors.js";

/** What a rank says when it arrives at a point that all ranks pass together. */
export interface Arrival {
  /** `stopping`: it was asked to stop. `failed`: it ends with an error, and takes part no more. */
  readonly status: "ready" | "stopping" | "failed";
  /** Steps done. */
  readonly step: number;
  /** What it brings for the others: values as JSON holds them. */
  readonly content?: unknown;
}

/**
 * Ranks that train together, each a process with a separate network. All ranks must call the
 * methods in the same order. `mpi.ts` has it over MPI, `loopback` within one process.
 */
export interface Collective {
  /** This rank, from 0. */
  readonly rank: number;
  /** Ranks in all. */
  readonly size: number;
  /** This rank among those of its host, from 0. */
  readonly localRank: number;
  /** The hosts of all ranks, for messages. */
  readonly hosts?: readonly string[];
  /** Waits for all ranks. Resolves to what each said, in the order of ranks. */
  arrive(arrival: Arrival): Promise<readonly Arrival[]>;
  /** Adds up `values` over all ranks, in place. All ranks get the same bits. */
  allReduce(values: Float32Array): Promise<void>;
  /**
   * Sends block `r` of `sent`, which has a block of the same length for each rank, to rank `r`, and
   * receives as many, in the order of the ranks that they come from.
   */
  allToAll(sent: Uint8Array, received: Uint8Array): Promise<void>;
  /** Copies the block `own` of each rank, all of the same length, into `all`, by rank. */
  allGather(own: Uint8Array, all: Uint8Array): Promise<void>;
  /** Copies `bytes` of the rank `root` into those of all others. */
  broadcast(bytes: Uint8Array, root: number): Promise<void>;
  /** Waits for all ranks. */
  barrier(): Promise<void>;
  /** Ends the run of all ranks at once: this one can continue no more, not even by arriving. */
  abort(reason: string): void;
}

/** `n` ranks in one process: for tests, and for several devices of one process. */
export function loopback(n: number): readonly Collective[] {
  if (!Number.isSafeInteger(n) || n < 1) throw new InputError(`${n} is not a number of ranks`);
  const meeting = new Meeting(n);
  return Array.from({ length: n }, (_, rank) => new LoopbackRank(rank, n, meeting));
}

interface Round {
  readonly given: unknown[];
  count: number;
  resolve(all: readonly unknown[]): void;
  reject(reason: unknown): void;
  readonly all: Promise<readonly unknown[]>;
}

/** Where the ranks of one process meet: a round ends when all have come. */
class Meeting {
  private round: Round | undefined;
  private aborted: Error | undefined;

  constructor(private readonly size: number) {}

  async join(rank: number, given: unknown): Promise<readonly unknown[]> {
    if (this.aborted) throw this.aborted;
    const round = (this.round ??= this.begin());
    round.given[rank] = given;
    if (++round.count === this.size) {
      this.round = undefined;
      round.resolve(round.given);
    }
    return round.all;
  }

  abort(error: Error): void {
    this.aborted ??= error;
    this.round?.reject(this.aborted);
    this.round = undefined;
  }

  private begin(): Round {
    const round = { given: [], count: 0 };
    let settle!: Pick<Round, "resolve" | "reject">;
    const all = new Promise<readonly unknown[]>((resolve, reject) => {
      settle = { resolve, reject };
    });
    all.catch(() => {});
    return { ...round, ...settle, all };
  }
}

class LoopbackRank implements Collective {
  constructor(
    readonly rank: number,
    readonly size: number,
    private readonly meeting: Meeting,
  ) {}

  get localRank(): number {
    return this.rank;
  }

  async arrive(arrival: Arrival): Promise<readonly Arrival[]> {
    // As over a wire: what is not JSON must fail here, too.
    const texts = await this.meeting.join(this.rank, JSON.stringify(arrival));
    return texts.map((text) => JSON.parse(text as string) as Arrival);
  }

  async allReduce(values: Float32Array): Promise<void> {
    const all = (await this.meeting.join(this.rank, values.slice())) as readonly Float32Array[];
    values.set(all[0]!);
    for (const other of all.slice(1)) {
      for (let index = 0; index < values.length; index++) values[index]! += other[index]!;
    }
  }

  async allToAll(sent: Uint8Array, received: Uint8Array): Promise<void> {
    const all = (await this.meeting.join(this.rank, sent.slice())) as readonly Uint8Array[];
    const length = sent.length / this.size;
    const [start, end] = [this.rank * length, (this.rank + 1) * length];
    all.forEach((other, rank) => received.set(other.subarray(start, end), rank * length));
  }

  async allGather(own: Uint8Array, all: Uint8Array): Promise<void> {
    const each = (await this.meeting.join(this.rank, own.slice())) as readonly Uint8Array[];
    each.forEach((block, rank) => all.set(block, rank * own.length));
  }

  async broadcast(bytes: Uint8Array, root: number): Promise<void> {
    const given = this.rank === root ? bytes.slice() : undefined;
    const all = await this.meeting.join(this.rank, given);
    if (this.rank !== root) bytes.set(all[root] as Uint8Array);
  }

  async barrier(): Promise<void> {
    await this.meeting.join(this.rank, undefined);
  }

  abort(reason: string): void {
    this.meeting.abort(new InputError(`rank ${this.rank} ended the run: ${reason}`));
  }
}
