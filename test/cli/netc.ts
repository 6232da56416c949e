import { spawn } from "node:child_process";
import { join } from "node:path";

export const root = join(import.meta.dirname, "..", "..");
const main = join(root, "dist", "cli", "main.js");

/**
 * Most commands of tests end before optimized code pays for itself: without it they take up to a
 * third less of the processor's time.
 */
const NODE = [process.execPath, "--no-opt", "--sparkplug"];

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

/** Runs the built `netc` as a user would and collects what it says. */
export function netc(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const [node, ...flags] = NODE;
  return run(node!, [...flags, main, ...args], options);
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
    env: { ...process.env, ...options.env },
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
