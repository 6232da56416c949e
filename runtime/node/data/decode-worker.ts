/** What a worker thread of the pool runs (decode-pool.ts). */
import { runDecodeTask, type DecodeResult, type DecodeTask } from "./decode-task.js";

export default function decode(task: DecodeTask): Promise<DecodeResult> {
  return runDecodeTask(task);
}
