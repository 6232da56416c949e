/** Questions about programs whose target has a class for each pixel or token. */
import type { Program, ProgramTensor } from "./program.js";
import { tensorsOf } from "./tensors.js";

type WithTensors = Pick<Program, "tensors">;

/**
 * The classes of the one target's pixels, and the label of those that are ignored; undefined where
 * the target is not a mask.
 */
export const maskOf = (program: WithTensors): ProgramTensor["classes"] => denseTarget(program, 2);

/** The same of the one target's tokens; undefined where it has no class for each. */
export const tokensOf = (program: WithTensors): ProgramTensor["classes"] => denseTarget(program, 1);

/** The same of either. */
export const denseOf = (program: WithTensors): ProgramTensor["classes"] =>
  maskOf(program) ?? tokensOf(program);

function denseTarget(program: WithTensors, axes: number): ProgramTensor["classes"] {
  const [target, ...others] = tensorsOf(program, "target");
  return target && others.length === 0 && target.shape.length === axes ? target.classes : undefined;
}
