/**
 * Which ranks are alive: all send a sign of life to rank 0 and rank 0 to all, also while they work.
 */
import type { MpiLibrary, Request } from "./library.js";

const TAG = 3;

/** The longest time between two signs, in milliseconds. */
const LONGEST_INTERVAL = 5000;

export class SignsOfLife {
  private readonly others: readonly number[];
  private readonly heard: number[];
  private readonly sent = new Map<number, Request>();
  private readonly received = new Set<Request>();
  private readonly interval: number;
  private readonly timer: NodeJS.Timeout;
  private lastBeat = performance.now();

  /** `timeout`: milliseconds without a sign after which a rank counts as silent. */
  constructor(
    private readonly mpi: MpiLibrary,
    private readonly timeout: number,
  ) {
    const all = Array.from({ length: mpi.size }, (_, rank) => rank);
    this.others = mpi.rank === 0 ? all.slice(1) : [0];
    this.heard = all.map(() => performance.now());
    this.interval = Math.min(LONGEST_INTERVAL, timeout / 5);
    this.timer = setInterval(() => this.beat(), this.interval);
    this.timer.unref();
  }

  /** The first of some ranks that has been silent for too long. */
  silentAmong(ranks: readonly number[] = this.others): number | undefined {
    const now = performance.now();
    return ranks.find((rank) => {
      return this.others.includes(rank) && now - this.heard[rank]! > this.timeout;
    });
  }

  /** A rank has said something. */
  note(rank: number): void {
    this.heard[rank] = performance.now();
  }

  /** Sends no more. */
  end(): void {
    clearInterval(this.timer);
  }

  /** Receives what is left, when all ranks have ended: MPI complains of messages left over. */
  drain(): void {
    for (const rank of this.others) this.listen(rank);
  }

  private beat(): void {
    const now = performance.now();
    // This process did not run itself: what others have sent meanwhile has yet to be read.
    if (now - this.lastBeat > 3 * this.interval) this.heard.fill(now);
    this.lastBeat = now;
    for (const rank of this.others) {
      this.listen(rank);
      this.tell(rank);
    }
  }

  private listen(rank: number): void {
    while (this.mpi.probe(rank, TAG) !== undefined) {
      this.received.add(this.mpi.receive(new Uint8Array(1), rank, TAG));
      this.note(rank);
    }
    for (const request of this.received) {
      if (this.mpi.test(request)) this.received.delete(request);
    }
  }

  /** One at a time: a rank that hears nothing gets no more. */
  private tell(rank: number): void {
    const before = this.sent.get(rank);
    if (before && !this.mpi.test(before)) return;
    this.sent.set(rank, this.mpi.send(new Uint8Array(1), rank, TAG));
  }
}
