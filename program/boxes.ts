/** Questions about programs whose target is boxes. */
import type { Program } from "./program.js";
import { tensorsOf } from "./tensors.js";

/** Numbers of a box: its class (-1 where there is none), its middle, and its size. */
export const BOX_NUMBERS = 5;

/** What a program with boxes tells apart, and how many. */
export interface BoxTarget {
  readonly classes: number;
  /** The most boxes of an image. */
  readonly most: number;
}

/** Undefined where the one target is not boxes. */
export function boxesOf(program: Pick<Program, "tensors">): BoxTarget | undefined {
  const [target, ...others] = tensorsOf(program, "target");
  if (target?.boxClasses === undefined || others.length > 0) return undefined;
  return { classes: target.boxClasses, most: target.shape[0]! };
}
