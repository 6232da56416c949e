/** Whether a checkpoint's averages can be used: for tools that take them in place of weights. */
import type { Metadata } from "./calls.js";
import { WeightsError } from "./errors.js";
import { MEASURED } from "./measured.js";

/** Throws WeightsError where the running statistics next to averages are not those of the mean. */
export function assertMeasuredFile(metadata: Metadata): void {
  if (metadata[MEASURED] !== "false") return;
  throw new WeightsError(
    "this checkpoint was saved before `batchnorm` was measured for its averaged weights: take " +
      "`best.safetensors` or `weights.safetensors` of the run, or let `--resume` end it first",
  );
}
