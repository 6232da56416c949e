/** Questions about programs whose target is a mask. */
import type { Program, ProgramTensor } from "./program.js";
import { tensorsOf } from "./tensors.js";

/**
 * The classes of the one target's pixels, and the label of those that are ignored; undefined where
 * the target is not a mask.
 */
export function maskOf(program: Pick<Program, "tensors">): ProgramTensor["classes"] {
  const [target, ...others] = tensorsOf(program, "target");
  return target && others.length === 0 && target.shape.length > 0 ? target.classes : undefined;
}
