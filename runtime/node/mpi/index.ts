/** Ranks that mpirun, mpiexec or srun started, joined by the system's MPI library. */
import { hostname } from "node:os";
import type { Arrival, Collective } from "../../training/collective.js";
import { PeerFailedError, SilentRankError } from "../../training/ranks.js";
import type { Launch } from "./launcher.js";
import { beginMpi, type MpiLibrary, type Request } from "./library.js";
import { inTime, LateRanksError } from "./late.js";
import { SignsOfLife } from "./signs-of-life.js";
import { until } from "./waiting.js";

export { endProcess } from "./koffi.js";
export { LateRanksError } from "./late.js";
export { launchOf } from "./launcher.js";
export type { Launch } from "./launcher.js";

/** How `joinRanks` finds MPI, and when it gives up on a rank. */
export interface MpiOptions {
  /** Seconds without a sign of life after which a rank ends the run of all. */
  readonly timeout: number;
  /** Called every `timeout` seconds while this rank waits for others that are alive. */
  readonly onWait?: (ranks: readonly number[], seconds: number) => unknown;
}

/** Ranks of an MPI launcher. Call `close` at the end: a process that ends without it ends all. */
export interface MpiCollective extends Collective {
  /**
   * Waits for all ranks and ends MPI. If the ranks can no longer meet, ends the processes of all
   * ranks at once, with that exit code. Throws a LateRanksError where a rank does not end: this
   * process can then only be ended (`endProcess`).
   */
  close(exitCode: number): Promise<void>;
}

/**
 * Joins the ranks that a launcher started (`launchOf`). Throws a RunFailedError if there is no MPI
 * library, or if it is not the launcher's, and a LateRanksError if not all processes begin
 * within the timeout: this one can then only be ended (`endProcess`).
 */
export async function joinRanks(launch: Launch, options: MpiOptions): Promise<MpiCollective> {
  const world = new World(await beginMpi(launch, options.timeout), launch, options);
  await world.learnHosts();
  return world;
}

const ARRIVAL = 1;
const ANSWER = 2;

/** Milliseconds after which a rank that blocks looks whether another is silent. */
const WATCH_INTERVAL = 100;

/** Floats that are added up in one call: between calls other work of the process has its turn. */
const CHUNK = (16 * 2 ** 20) / 4;

class World implements MpiCollective {
  readonly rank: number;
  readonly size: number;
  readonly localRank: number;
  hosts: readonly string[] = [];
  private readonly signs: SignsOfLife;
  private readonly timeout: number;
  /** Why ranks can meet no more. */
  private broken: Error | undefined;

  constructor(
    private readonly mpi: MpiLibrary,
    { localRank }: Launch,
    private readonly options: MpiOptions,
  ) {
    this.rank = mpi.rank;
    this.size = mpi.size;
    this.localRank = localRank;
    this.timeout = 1000 * options.timeout;
    this.signs = new SignsOfLife(mpi, this.timeout);
  }

  async learnHosts(): Promise<void> {
    const all = await this.arrive({ status: "ready", step: 0, content: hostname() });
    this.hosts = all.map(({ content }) => content as string);
  }

  async arrive(arrival: Arrival): Promise<readonly Arrival[]> {
    if (this.broken) throw this.broken;
    const text = JSON.stringify(arrival);
    const all = this.rank === 0 ? await this.gather(text) : await this.report(text);
    return JSON.parse(all) as readonly Arrival[];
  }

  async allReduce(values: Float32Array): Promise<void> {
    for (let start = 0; start < values.length; start += CHUNK) {
      await this.unlessSilent(this.mpi.sum(values.subarray(start, start + CHUNK)));
    }
  }

  async allToAll(sent: Uint8Array, received: Uint8Array): Promise<void> {
    await this.unlessSilent(this.mpi.allToAll(sent, received, sent.length / this.size));
  }

  async allGather(own: Uint8Array, all: Uint8Array): Promise<void> {
    await this.unlessSilent(this.mpi.allGather(own, all));
  }

  async broadcast(bytes: Uint8Array, root: number): Promise<void> {
    for (let start = 0; start < bytes.length; start += 4 * CHUNK) {
      await this.unlessSilent(this.mpi.broadcast(bytes.subarray(start, start + 4 * CHUNK), root));
    }
  }

  async barrier(): Promise<void> {
    await this.arrive({ status: "ready", step: 0 });
  }

  abort(reason: string): void {
    this.broken ??= new PeerFailedError(reason);
  }

  async close(exitCode: number): Promise<void> {
    try {
      await this.barrier();
      this.signs.end();
      await this.barrier();
      this.signs.drain();
      const { timeout } = this.options;
      await inTime(this.mpi.finalize(), { timeout, done: "ended" });
    } catch (error) {
      if (error instanceof LateRanksError) throw error;
      this.mpi.abort(exitCode);
    }
  }

  /** Rank 0: hears all others, in their order, and tells each what all have said. */
  private async gather(own: string): Promise<string> {
    const texts: string[] = [own];
    for (let rank = 1; rank < this.size; rank++) texts.push(await this.hear(rank, ARRIVAL));
    const all = `[${texts.join(",")}]`;
    const bytes = Buffer.from(all);
    const requests = texts.slice(1).map((_, index) => this.mpi.send(bytes, index + 1, ANSWER));
    for (const request of requests) await this.done(request, 0);
    return all;
  }

  private async report(own: string): Promise<string> {
    await this.done(this.mpi.send(Buffer.from(own), 0, ARRIVAL), 0);
    return this.hear(0, ANSWER);
  }

  private async hear(rank: number, tag: number): Promise<string> {
    let length: number | undefined;
    await this.until(() => (length = this.mpi.probe(rank, tag)) !== undefined, rank);
    const bytes = Buffer.alloc(length!);
    await this.done(this.mpi.receive(bytes, rank, tag), rank);
    this.signs.note(rank);
    return bytes.toString();
  }

  private done(request: Request, rank: number): Promise<void> {
    return this.until(() => this.mpi.test(request), rank);
  }

  /** Waits for a rank. Throws a PeerFailedError where a rank is silent. */
  private async until(isSo: () => boolean, rank: number): Promise<void> {
    const start = performance.now();
    let waits = 1;
    await until(() => {
      if (isSo()) return true;
      this.throwIfSilent();
      if (performance.now() - start > waits * this.timeout) {
        this.options.onWait?.([rank], waits++ * this.options.timeout);
      }
      return false;
    });
  }

  /** Waits for a call that blocks until all ranks have made it, or until a rank is silent. */
  private async unlessSilent(call: Promise<void>): Promise<void> {
    if (this.broken) throw this.broken;
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_, reject) => {
      timer = setInterval(() => this.rejectIfSilent(reject), WATCH_INTERVAL);
    });
    await Promise.race([call, silence]).finally(() => clearInterval(timer));
  }

  private rejectIfSilent(reject: (reason: unknown) => void): void {
    try {
      this.throwIfSilent();
    } catch (error) {
      reject(error);
    }
  }

  private throwIfSilent(): void {
    const rank = this.signs.silentAmong();
    if (rank === undefined) return;
    const name = `rank ${rank}${this.hosts[rank] ? ` (${this.hosts[rank]})` : ""}`;
    this.broken ??= new SilentRankError(
      `${name} has given no sign of life for ${this.options.timeout} s`,
    );
    throw this.broken;
  }
}
