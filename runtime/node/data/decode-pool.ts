/**
 * Decoding in worker threads, so that the thread that feeds the GPU never waits for it. One pool serves the whole process; its threads end with
 * it, and keep nobody from ending.
 */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { runDecodeTask, type DecodeResult, type DecodeTask } from "./decode-task.js";

type Run = (task: DecodeTask) => Promise<DecodeResult>;

let pool: Promise<Run> | undefined;

export async function decodeInPool(task: DecodeTask): Promise<DecodeResult> {
  pool ??= startPool();
  return (await pool)(task);
}

/** One core is left to the thread that feeds the GPU. */
const THREADS = Math.max(1, availableParallelism() - 1);

/** While a thread transforms one image, libvips decodes its next. */
const TASKS_A_THREAD = 2;

const IDLE_MILLISECONDS = 60_000;

async function startPool(): Promise<Run> {
  const filename = fileURLToPath(new URL("./decode-worker.js", import.meta.url));
  // From the sources, as tests run it, there is no script that a thread could load.
  if (!existsSync(filename)) return runDecodeTask;
  const { Tinypool } = await import("tinypool");
  const threads = new Tinypool({
    filename,
    minThreads: 1,
    maxThreads: THREADS,
    concurrentTasksPerWorker: TASKS_A_THREAD,
    idleTimeout: IDLE_MILLISECONDS,
  });
  return (task) => threads.run(task) as Promise<DecodeResult>;
}
