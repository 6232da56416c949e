/** A training run as ranks other than 0 do it: they train, and write and say nothing. */
import { fit } from "../../runtime/training/index.js";
import { listenForInterrupt } from "../interrupt.js";
import type { RunOptions, TrainingParts } from "./parts.js";
import type { TrainingRanks } from "./ranks.js";

export async function follow(
  { network, dataset, evaluation, recipe }: Omit<TrainingParts, "claim" | "folder">,
  ranks: TrainingRanks,
  { steps, wire }: RunOptions,
): Promise<void> {
  const interrupt = listenForInterrupt("stopping all ranks after this step");
  try {
    const start = await ranks.share(network, undefined);
    await fit(network, dataset, recipe, {
      evaluation,
      start,
      steps,
      signal: interrupt.signal,
      exchange: ranks.collective,
      wire,
    });
  } finally {
    interrupt.dispose();
  }
}
