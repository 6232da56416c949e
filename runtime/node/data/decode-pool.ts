/**
 * Decoding in worker threads, so that the thread that feeds the GPU never waits for it. One pool
 * serves the whole process; its threads end with it, and do not keep the process alive.
 */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { importPackage } from "../import-package.js";
import { runDecodeTask, type DecodeResult, type DecodeTask } from "./decode-task.js";

/** Decodes a few images, one after the other. */
type Run = (tasks: readonly DecodeTask[]) => Promise<readonly DecodeResult[]>;

let pool: Promise<Run> | undefined;

interface Waiting {
  readonly task: DecodeTask;
  readonly resolve: (result: DecodeResult) => void;
  readonly reject: (reason: unknown) => void;
}

let waiting: Waiting[] = [];

/** What is asked for at one time goes to the threads in parcels, each of which costs a message. */
export function decodeInPool(task: DecodeTask): Promise<DecodeResult> {
  return new Promise((resolve, reject) => {
    if (waiting.length === 0) setImmediate(sendWaiting);
    waiting.push({ task, resolve, reject });
  });
}

function sendWaiting(): void {
  const all = waiting;
  waiting = [];
  // Few images are spread over all threads rather than put into one parcel.
  const size = Math.min(PARCEL, Math.ceil(all.length / (THREADS * PARCELS_A_THREAD)));
  for (let start = 0; start < all.length; start += size) void send(all.slice(start, start + size));
}

async function send(parcel: readonly Waiting[]): Promise<void> {
  pool ??= startPool();
  try {
    const run = await pool;
    const results = await run(parcel.map(({ task }) => task));
    parcel.forEach(({ resolve }, index) => resolve(results[index]!));
  } catch (error) {
    for (const { reject } of parcel) reject(error);
  }
}

/** One core is left to the thread that feeds the GPU. */
const THREADS = Math.max(1, availableParallelism() - 1);

/** While a thread transforms one image, libvips decodes those that come next. */
const PARCELS_A_THREAD = 3;

/** Images in a parcel. */
const PARCEL = 4;

const IDLE_MILLISECONDS = 60_000;

async function startPool(): Promise<Run> {
  const filename = fileURLToPath(new URL("./decode-worker.js", import.meta.url));
  // From the sources, as tests run it, there is no script that a thread could load.
  if (!existsSync(filename)) return (tasks) => Promise.all(tasks.map(runDecodeTask));
  const { Tinypool } = (await importPackage("tinypool")) as typeof import("tinypool");
  const threads = new Tinypool({
    filename,
    minThreads: 1,
    maxThreads: THREADS,
    concurrentTasksPerWorker: PARCELS_A_THREAD,
    idleTimeout: IDLE_MILLISECONDS,
  });
  return (tasks) => threads.run(tasks) as Promise<readonly DecodeResult[]>;
}
