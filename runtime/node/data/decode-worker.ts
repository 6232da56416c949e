/** What a worker thread of the pool runs (decode-pool.ts). */
import { kTransferable, kValue, Tinypool } from "tinypool";
import { runDecodeTask, type DecodeResult, type DecodeTask } from "./decode-task.js";

/**
 * The DecodeResult of each task. Pixels move to the caller's thread where they can: they are not
 * copied.
 */
export default async function decode(tasks: readonly DecodeTask[]): Promise<unknown> {
  const results: DecodeResult[] = [];
  for (const task of tasks) results.push(await runDecodeTask(task));
  return Tinypool.move({ [kTransferable]: results.flatMap(movable), [kValue]: results });
}

function movable(result: DecodeResult): ArrayBufferLike[] {
  return "image" in result && result.isMade ? [result.image.pixels.buffer] : [];
}
