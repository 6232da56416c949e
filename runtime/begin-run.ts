/** Step lists for tools, which run them one dispatch at a time: loaded with the first of them. */
import type { InspectionParts } from "./inspection.js";
import type { Runner, Work } from "./runner.js";
import type { StepListName } from "./schedule.js";

/** Makes a step list ready to be run, on examples that it uploads. */
export async function begin(
  runner: Runner,
  list: StepListName,
  work: Work,
): Promise<InspectionParts> {
  const { gpu, program, memory } = runner;
  const { schedule, scratch } = await runner.prepare(list);
  const preparation = work.split && (await runner.preparation(work.split));
  runner.upload(list, work);
  const encoder = gpu.createCommandEncoder({ label: list });
  // Numbers that an earlier run left must not pass for what the list computes.
  for (const buffer of scratch) {
    encoder.clearBuffer(buffer);
    runner.users.set(buffer, list);
  }
  preparation?.encode(encoder, work.frame.batch);
  gpu.queue.submit([encoder.finish()]);
  return { gpu, program, memory, schedule, batch: work.frame.batch };
}
