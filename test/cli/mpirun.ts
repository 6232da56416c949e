/** The launchers of this machine, and netc under them. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ADAPTER, root, type Outcome } from "./netc.js";

/** A launcher, and the library whose processes it can start. */
export interface Launcher {
  readonly name: "Open MPI" | "MPICH";
  readonly command: readonly string[];
  readonly library: string;
  /** A script that each rank runs netc through. */
  readonly wrapper?: string;
}

const OPEN_MPI: Launcher = {
  name: "Open MPI",
  command: ["mpirun.openmpi", "--oversubscribe", "--allow-run-as-root"],
  library: "libmpi.so.40",
};

const MPICH: Launcher = {
  name: "MPICH",
  command: ["mpirun.mpich"],
  library: "libmpich.so.12",
};

/** All that netc is tested with. */
export const LAUNCHERS: readonly Launcher[] = [OPEN_MPI, MPICH];

const isInstalled = ({ command: [program] }: Launcher) =>
  spawnSync(program!, ["--version"], { stdio: "ignore" }).status === 0;

/**
 * Those that are installed. Throws where Open MPI is not and `NETC_TEST_NO_SKIP` says that it must
 * be.
 */
export function launchers(): readonly Launcher[] {
  const found = LAUNCHERS.filter(isInstalled);
  if (process.env["NETC_TEST_NO_SKIP"] === "1" && !found.includes(OPEN_MPI)) {
    throw new Error("Open MPI is not installed");
  }
  return found;
}

export interface RankRun {
  /** The launcher's process. */
  readonly child: ChildProcess;
  readonly ended: Promise<Outcome>;
  /** Standard error so far. */
  readonly stderr: () => string;
}

export interface RankRunOptions {
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `netc` on this many ranks. */
export function startRanks(
  { command: [program, ...flags], wrapper }: Launcher,
  ranks: number,
  args: readonly string[],
  { env = {} }: RankRunOptions = {},
): RankRun {
  const main = join(root, "dist", "cli", "main.js");
  const command = [...(wrapper ? [wrapper] : []), process.execPath, main, ...args];
  const child = spawn(program!, [...flags, "-n", `${ranks}`, ...command], {
    cwd: root,
    env: { ...process.env, ...ADAPTER, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.on("error", reject).on("close", (code) => resolve({ code, stdout, stderr }));
  });
  return { child, ended, stderr: () => stderr };
}

/** Starts two ranks through a script of one line, in which `"$@"` is the command. */
export function startScript(
  launcher: Launcher,
  path: string,
  line: string,
  args: readonly string[],
): RankRun {
  const { command, ...others } = launcher;
  writeFileSync(path, `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  return startRanks({ ...others, command, wrapper: path }, 2, args);
}

/** Waits until a run has said something on standard error. */
export async function untilSaid(run: RankRun, text: string): Promise<void> {
  while (!run.stderr().includes(text)) {
    if (run.child.exitCode !== null) throw new Error(`it ended early: ${run.stderr()}`);
    await sleep(50);
  }
}

/** Sends a signal to one rank. */
export function signalRank(run: RankRun, rank: number, signal: NodeJS.Signals): void {
  for (const pid of processesOf(run, rank)) process.kill(pid, signal);
}

/** The processes of one rank: none before it has begun, and after it has ended. */
export function processesOf({ child }: RankRun, rank: number): readonly number[] {
  const entries = ["OMPI_COMM_WORLD_RANK", "PMI_RANK"].map((name) => `${name}=${rank}`);
  return descendantsOf(child.pid!).filter((pid) => {
    const environment = read(`/proc/${pid}/environ`).split("\0");
    return entries.some((entry) => environment.includes(entry));
  });
}

/** Waits until these processes have ended: a launcher may end before them. Throws after 30 s. */
export async function untilGone(pids: readonly number[]): Promise<void> {
  const isAlive = (pid: number) => /^State:\s+[^Z]/m.test(read(`/proc/${pid}/status`));
  for (let waited = 0; pids.some(isAlive); waited += 50) {
    if (waited > 30_000) throw new Error(`still there: ${pids.filter(isAlive).join(", ")}`);
    await sleep(50);
  }
}

/** The text of a file; empty where its process has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function descendantsOf(pid: number): readonly number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`);
  const own = children.trim().split(" ").filter(Boolean).map(Number);
  return own.flatMap((child) => [child, ...descendantsOf(child)]);
}
