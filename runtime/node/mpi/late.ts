/** Calls of MPI that end only when all ranks have made them, and ranks that never do. */
import { readdirSync, readFileSync } from "node:fs";
import { RunFailedError } from "../../training/error.js";
import { launchOf } from "./launcher.js";

/** A call of MPI did not return in time: its thread is still in it. No other call may follow. */
export class LateRanksError extends RunFailedError {
  override readonly name: string = "LateRanksError";
}

export interface LateOptions {
  /** Seconds after which the call counts as late. */
  readonly timeout: number;
  /** What not all ranks have done: `joined`. */
  readonly done: string;
}

/** Waits for a call of all ranks. Throws a LateRanksError that names a rank that was stopped. */
export async function inTime<Result>(
  call: Promise<Result>,
  { timeout, done }: LateOptions,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(lateRanks(timeout, done)), 1000 * timeout);
  });
  return Promise.race([call, late]).finally(() => clearTimeout(timer));
}

function lateRanks(timeout: number, done: string): LateRanksError {
  const stopped = stoppedRank();
  const who =
    stopped === undefined
      ? `not all ranks have ${done} within ${timeout} s`
      : `rank ${stopped.rank} has not ${done} within ${timeout} s: ` +
        `its process ${stopped.pid} is stopped`;
  return new LateRanksError(who, "--timeout waits longer for slow hosts");
}

/** A rank on this host whose process is stopped; undefined where none is, or no /proc tells. */
function stoppedRank(): { readonly rank: number; readonly pid: number } | undefined {
  for (const pid of processes()) {
    try {
      if (!isStoppedSibling(pid)) continue;
      const rank = launchOf(environmentOf(pid))?.rank;
      if (rank !== undefined) return { rank, pid };
    } catch {
      // It has ended, or is another user's.
    }
  }
  return undefined;
}

function processes(): readonly number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

/** The launcher's process on a host is the parent of the ranks there. */
function isStoppedSibling(pid: number): boolean {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  // Behind the program's name, which may hold spaces and brackets.
  const [state, parent] = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (state === "T" || state === "t") && Number(parent) === process.ppid;
}

function environmentOf(pid: number): Readonly<Record<string, string>> {
  const entries = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  return Object.fromEntries(
    entries.map((entry) => {
      const at = entry.indexOf("=");
      return [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}
