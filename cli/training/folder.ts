/**
 * The folder of a run: one run at a time, and an earlier one stays until the new one has a
 * checkpoint.
 */
import { existsSync, realpathSync } from "node:fs";
import { mkdir, readdir, rename, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import {
  LAST_CHECKPOINT,
  lockRun,
  PREVIOUS_CHECKPOINT,
  writeError,
  type RunLock,
} from "../../runtime/node/training.js";
import { warn } from "../terminal.js";
import { wrongUsage } from "../failure.js";
import { makeFolder } from "../files.js";
import { PREDICTIONS, RUN_FILE, STRIPS_FILE } from "./run-file.js";
import { say } from "../terminal.js";

export const CHECKPOINTS = [LAST_CHECKPOINT, PREVIOUS_CHECKPOINT] as const;
const WEIGHTS = ["best.safetensors", "weights.safetensors"] as const;
/**
 * What a run writes. Checkpoints are first to be set aside: a log without them is of a run that
 * begins again.
 */
const FILES = [
  ...[...CHECKPOINTS, ...WEIGHTS, "report.html", "metrics.jsonl"],
  ...[PREDICTIONS, RUN_FILE, STRIPS_FILE],
] as const;

/** Where the files of a run that is overwritten wait. */
const OVERWRITTEN = "overwritten";

export interface ClaimOptions {
  readonly resume?: boolean;
  /** Whether an earlier run may be replaced. */
  readonly overwrite?: boolean;
  /** The file of weights that a new run starts from. */
  readonly reads?: string | undefined;
}

export class RunFolder {
  /** Whether there is something to be kept: a step was done, now or before. */
  hasStarted: boolean;

  private constructor(
    readonly path: string,
    private readonly lock: RunLock,
    private readonly origin: { readonly isResumed: boolean; readonly isNew: boolean },
  ) {
    this.hasStarted = origin.isResumed && !origin.isNew;
  }

  /**
   * Makes the folder where it is missing and takes it for this run. Fails where another run is at
   * work in it, and for a new run where it holds an earlier one that may not be overwritten.
   */
  static async claim(path: string, options: ClaimOptions): Promise<RunFolder> {
    const { resume } = options;
    const isNew = !existsSync(path);
    await makeFolder(path);
    const lock = await lockRun(path);
    const folder = new RunFolder(path, lock, { isResumed: resume ?? false, isNew });
    try {
      const { abandonedBy } = lock;
      if (abandonedBy) say(`${path} was left by process ${abandonedBy.pid}, which has ended`);
      if (!resume && folder.holdsRun) await folder.setAside(options);
      await folder.removeHalfWritten();
      return folder;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** From now on, what the run has written stays. */
  noteStart(): void {
    this.hasStarted = true;
  }

  get hasCheckpoint(): boolean {
    return CHECKPOINTS.some((name) => this.has(name));
  }

  /** Whether a run began here, and ended before its first checkpoint. */
  get wasBegun(): boolean {
    const traces = ["metrics.jsonl", OVERWRITTEN].some((name) => this.has(name));
    return !this.holdsRun && (traces || this.lock.abandonedBy !== undefined);
  }

  /** What was set aside is not needed any more: the new run has a checkpoint. */
  async discardOverwritten(): Promise<void> {
    await rm(join(this.path, OVERWRITTEN), { recursive: true, force: true });
  }

  /**
   * Ends the claim. What a run without a single step has written goes, and what it had set aside
   * comes back.
   */
  async release(): Promise<void> {
    if (!this.hasStarted) await this.withdraw();
    await this.lock.release();
    if (!this.hasStarted && this.origin.isNew) await rmdir(this.path).catch(() => {});
  }

  private async withdraw(): Promise<void> {
    const { path } = this;
    for (const name of FILES) await rm(join(path, name), { force: true });
    const aside = join(path, OVERWRITTEN);
    for (const name of FILES) {
      const waiting = join(aside, name);
      if (existsSync(waiting)) await rename(waiting, join(path, name));
    }
    await this.discardOverwritten();
  }

  private get holdsRun(): boolean {
    return [...CHECKPOINTS, ...WEIGHTS].some((name) => this.has(name));
  }

  private has(name: string): boolean {
    return existsSync(join(this.path, name));
  }

  private async setAside({ overwrite, reads }: ClaimOptions): Promise<void> {
    const { path } = this;
    if (!overwrite) {
      throw wrongUsage(
        `${path} holds an earlier run`,
        "--resume continues it, --overwrite replaces it, --out DIR chooses another folder",
      );
    }
    if (reads !== undefined && this.wouldReplace(reads)) {
      throw wrongUsage(
        `the run starts from ${reads}, which --overwrite would replace`,
        "--out DIR chooses another folder",
      );
    }
    const aside = join(path, OVERWRITTEN);
    await this.discardOverwritten();
    await mkdir(aside).catch((error: NodeJS.ErrnoException) => {
      throw writeError(aside, error);
    });
    for (const name of FILES) {
      if (this.has(name)) await rename(join(path, name), join(aside, name));
    }
    warn(`the earlier run in ${path} waits in ${aside} until this one has a checkpoint`);
  }

  /** Whether a file is one of the earlier run's, by whatever name or link it is reached. */
  private wouldReplace(file: string): boolean {
    if (!existsSync(file)) return false;
    const real = realpathSync(file);
    return FILES.some((name) => this.has(name) && realpathSync(join(this.path, name)) === real);
  }

  /** What a process that was killed had not written to the end. */
  private async removeHalfWritten(): Promise<void> {
    const names = await readdir(this.path);
    const halves = names.filter((name) => /\.\d+\.partial$/.test(name));
    for (const name of halves) await rm(join(this.path, name), { force: true });
  }
}
