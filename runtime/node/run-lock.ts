/** One run a folder: a file that says who trains there. */
import { link, mkdir, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { RunFailedError } from "../training/error.js";
import { describeReadError, readText } from "./read-file.js";
import { writeError } from "./write-file.js";

/** The file that locks a run folder. */
export const LOCK_FILE = "run.lock";

/** The process that holds a lock. */
export interface LockOwner {
  readonly pid: number;
  readonly host: string;
  /**
   * When the process started, by its system's clock, where that is known: numbers of processes are
   * used again.
   */
  readonly started?: string;
}

/** A lock of a run folder. */
export interface RunLock {
  /** Whose lock it was before: a process that ended without giving it back. */
  readonly abandonedBy?: LockOwner;
  /** Lets others train in the folder. */
  release(): Promise<void>;
}

/**
 * Takes a folder, which exists, for a run. The lock of a process that has ended is taken over.
 * Throws a RunFailedError where another run is at work in it, or the folder cannot be written to.
 */
export async function lockRun(folder: string): Promise<RunLock> {
  const path = join(folder, LOCK_FILE);
  const own = JSON.stringify({
    pid: process.pid,
    host: hostname(),
    started: (await statusOf(process.pid))?.started,
  });
  let abandonedBy: LockOwner | undefined;
  while (!(await tryCreate(path, own))) {
    const owner = parseOwner(await readLock(path));
    if (owner && (await isAlive(owner))) throw inUse(folder, path, owner);
    if (await removeAbandoned(path)) abandonedBy = owner;
  }
  const release = async () => {
    const text = await readLock(path).catch(() => undefined);
    if (text === own) await rm(path, { force: true });
  };
  return { release, abandonedBy };
}

let created = 0;

/** The file is there with its content or not at all: one without would look abandoned. */
async function tryCreate(path: string, content: string): Promise<boolean> {
  const temporary = `${path}.${process.pid}.${created++}.partial`;
  try {
    await writeFile(temporary, content);
    await link(temporary, path).catch((error: NodeJS.ErrnoException) => {
      if (!WITHOUT_LINKS.includes(error.code)) throw error;
      return writeFile(path, content, { flag: "wx" });
    });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    throw writeError(path, error as NodeJS.ErrnoException);
  } finally {
    await rm(temporary, { force: true }).catch(() => {});
  }
}

/** What file systems without hard links answer. */
const WITHOUT_LINKS: readonly (string | undefined)[] = ["EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"];

/** Milliseconds after which whoever was removing a lock has died over it. */
const LONGEST_REMOVAL = 5000;

/**
 * Removes a lock that is abandoned, and says whether it did. Several runs may have found it so: one
 * at a time looks again and removes it, lest the second remove the lock that the first has made
 * meanwhile.
 */
async function removeAbandoned(path: string): Promise<boolean> {
  const turn = `${path}.removal`;
  if (!(await tryMakeFolder(turn))) {
    const made = await stat(turn).catch(() => undefined);
    const isOld = made && Date.now() - made.mtimeMs > LONGEST_REMOVAL;
    if (made && !made.isDirectory()) throw obstacle(turn, "it is not the directory that it was");
    if (isOld) await rmdir(turn).catch(() => {});
    await sleep(20);
    return false;
  }
  try {
    const text = await readLock(path);
    const owner = parseOwner(text);
    if (text === undefined || (owner && (await isAlive(owner)))) return false;
    await rm(path, { force: true });
    return true;
  } finally {
    await rmdir(turn).catch(() => {});
  }
}

function tryMakeFolder(path: string): Promise<boolean> {
  return mkdir(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "EEXIST") return false;
      throw writeError(path, error);
    },
  );
}

/**
 * Undefined where there is none. Throws a RunFailedError where it is not a file that can be read.
 */
async function readLock(path: string): Promise<string | undefined> {
  return readText(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw obstacle(path, describeReadError("it", error));
  });
}

/** Something in the place of a lock, which netc must not remove. */
function obstacle(path: string, reason: string): RunFailedError {
  return new RunFailedError(
    `${path} keeps runs out of this folder: ${reason}`,
    "no run of netc has made it: remove it, or choose another folder with --out",
  );
}

/** Undefined where the file is gone, or its process died while it wrote. */
function parseOwner(text: string | undefined): LockOwner | undefined {
  try {
    const owner = JSON.parse(text ?? "") as LockOwner;
    return Number.isInteger(owner.pid) ? owner : undefined;
  } catch {
    return undefined;
  }
}

/** Processes on other machines are unknown. */
async function isAlive({ pid, host, started }: LockOwner): Promise<boolean> {
  if (host !== hostname()) return true;
  if (!exists(pid)) return false;
  const now = await statusOf(pid);
  if (now?.state === ZOMBIE) return false;
  return now === undefined || started === undefined || now.started === started;
}

/**
 * A process that has ended, which its parent has not asked about: in a container without an init
 * process it stays in the list for ever.
 */
const ZOMBIE = "Z";

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

interface ProcessStatus {
  readonly state: string | undefined;
  /** In ticks since the system's start. */
  readonly started: string | undefined;
}

/** Where there is a /proc: fields 3 and 22 of `stat`, whose field 2 may hold spaces. */
async function statusOf(pid: number): Promise<ProcessStatus | undefined> {
  const stat = await readText(`/proc/${pid}/stat`).catch(() => undefined);
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields && { state: fields[0], started: fields[19] };
}

function inUse(folder: string, path: string, { pid, host }: LockOwner): RunFailedError {
  const where = host === hostname() ? "" : ` on ${host}`;
  return new RunFailedError(
    `another run is at work in ${folder}: process ${pid}${where}`,
    "wait for it, or choose another folder with --out; " +
      `if that process is long gone, delete ${path}`,
  );
}
