/** `--watch`: a command that runs again when the spec, or a file that it imports, changes. */
import { stat } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { Reported } from "./failure.js";
import { reportError } from "./report.js";
import { say } from "./terminal.js";

/** Often enough that saving seems to start it; cheap, since it reads no file. */
const EVERY_MILLISECONDS = 200;

/**
 * Runs a command, and again after each change of the files that it says it read. Mistakes in them
 * are reported, and the command waits for the next change. Ctrl-C ends it.
 */
export async function watching(path: string, run: () => Promise<readonly string[]>): Promise<void> {
  const end = new AbortController();
  process.once("SIGINT", () => end.abort());
  let files: readonly string[] = [path];
  while (!end.signal.aborted) {
    const before = await timesOf(files);
    const start = Date.now();
    try {
      files = await run();
    } catch (error) {
      reportError(error);
      if (error instanceof Reported && error.files.length > 0) files = error.files;
    }
    if (end.signal.aborted) return;
    const read = await timesOf(files.filter((file) => !Object.hasOwn(before, file)));
    say(`waiting for changes of ${path}; Ctrl-C ends`);
    await changeOf({ ...unchangedSince(start, read), ...before }, end.signal);
  }
}

/** A file that changed while it was first read counts as changed. */
const unchangedSince = (start: number, times: Times): Times =>
  Object.fromEntries(Object.entries(times).map(([file, time]) => [file, time > start ? 0 : time]));

type Times = Readonly<Record<string, number>>;

/** When each file was last changed; 0 for one that is missing, as between two steps of saving. */
async function timesOf(files: readonly string[]): Promise<Times> {
  const times = files.map(async (file): Promise<[string, number]> => {
    const status = await stat(file).catch(() => undefined);
    return [file, status?.mtimeMs ?? 0];
  });
  return Object.fromEntries(await Promise.all(times));
}

async function changeOf(before: Times, end: AbortSignal): Promise<void> {
  while (!end.aborted) {
    await setTimeout(EVERY_MILLISECONDS, undefined, { signal: end }).catch(() => undefined);
    const now = await timesOf(Object.keys(before));
    const changed = Object.keys(before).filter((file) => now[file] !== before[file]);
    if (changed.some((file) => now[file] !== 0)) return;
  }
}
