import { type ChildProcess, fork, spawn } from "node:child_process";
import { join } from "node:path";
import type { ServedCommand } from "./command-server.js";

export const root = join(import.meta.dirname, "..", "..");
const main = join(root, "dist", "cli", "main.js");

/**
 * Most commands of tests end before optimized code pays for itself: without it they take up to a
 * third less of the processor's time.
 */
const NODE = [process.execPath, "--no-opt", "--sparkplug"];

/** The adapter of commands that name no other: the same on all machines. */
export const ADAPTER = { NETC_ADAPTER: process.env["NETC_ADAPTER"] ?? "embedded" };

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  /** Called with all of stderr so far, each time more of it comes. */
  readonly onStderr?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/**
 * Runs the built `netc` as a user would and collects what it says: in a process of all such
 * commands, or, with NETC_TEST_FULL=1 and where a test watches it or sets more than its adapter, in
 * a process for it alone.
 */
export function netc(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { cwd = root, onStderr } = options;
  const env = { ...ADAPTER, ...options.env };
  const isAlone =
    process.env["NETC_TEST_FULL"] === "1" ||
    onStderr !== undefined ||
    Object.keys(env).some((name) => name !== "NETC_ADAPTER");
  if (!isAlone) return serve({ args, cwd, env });
  const [node, ...flags] = NODE;
  return run(node!, [...flags, main, ...args], options);
}

/** Runs a command that must end well, and returns its results. */
export async function runNetc(args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await netc(args, options);
  if (code !== 0) throw new Error(`netc ${args.join(" ")} ended with ${code}:\n${stderr}`);
  return stdout;
}

/** Kept for all test files of this process. */
interface Server {
  server?: ChildProcess;
  last: Promise<unknown>;
}
const served = ((globalThis as { netcServer?: Server }).netcServer ??= { last: Promise.resolve() });

/** Runs a command after those before it. */
function serve(command: ServedCommand): Promise<Outcome> {
  const outcome = served.last.then(() => serveNow(command));
  served.last = outcome.catch(() => undefined);
  return outcome;
}

function serveNow(command: ServedCommand): Promise<Outcome> {
  const server = (served.server ??= startServer());
  return new Promise((resolve, reject) => {
    const onMessage = (outcome: Outcome) => {
      server.off("exit", onExit);
      resolve(outcome);
    };
    const onExit = (code: number | null, signal: NodeJS.Signals | null) => {
      served.server = undefined;
      server.off("message", onMessage);
      reject(new Error(`netc ${command.args.join(" ")} ended its process: ${signal ?? code}`));
    };
    server.once("message", onMessage).once("exit", onExit);
    server.send(command);
  });
}

function startServer(): ChildProcess {
  const script = join(root, "scripts", "run.mjs");
  return fork(script, [join(root, "test", "cli", "command-server.ts")], {
    cwd: root,
    execArgv: ["--max-semi-space-size=64"],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
}

/** Runs `netc` through a shell line in which `"$@"` is its command. */
export function netcInShell(
  line: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> {
  return run("sh", ["-c", line, "sh", ...NODE, main, ...args], options);
}

function run(command: string, args: readonly string[], options: RunOptions): Promise<Outcome> {
  const child = spawn(command, args, {
    cwd: options.cwd ?? root,
    env: { ...process.env, ...ADAPTER, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    options.onStderr?.(stderr, (signal) => child.kill(signal));
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}
