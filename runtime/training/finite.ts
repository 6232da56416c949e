/** Whether a run can continue from what a checkpoint holds. */
import { WeightsError } from "../errors.js";
import { areFinite } from "../are-finite.js";
import { parseTensors } from "../safetensors.js";

/** A tensor holds infinities or NaN. */
export class NotFiniteError extends WeightsError {
  override readonly name: string = "NotFiniteError";
}

/**
 * Throws NotFiniteError naming the first tensor of a file that holds a number that is not finite.
 */
export function assertFiniteTensors(bytes: Uint8Array): void {
  for (const { name, values } of parseTensors(bytes).tensors.values()) {
    if (!areFinite(values)) throw new NotFiniteError(`\`${name}\` is not finite`);
  }
}
