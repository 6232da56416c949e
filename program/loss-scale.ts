/** What training keeps of a dynamic loss scale, and of the number of its updates. */
import { wordIndex } from "./word-index.js";
import type { WordTable } from "./words.js";

/** No scale is larger, whatever it has grown to: its products stay in range. */
export const LARGEST_SCALE = 2 ** 100;

/** The state of a dynamic loss scale. */
export const LOSS_SCALE = {
  scale: "f32",
  /** Steps since the scale last changed. */
  good_steps: "f32",
  /**
   * The powers of Adam's betas after as many steps as there were updates; NAdam's first one is the
   * product of its momenta.
   */
  power1: "f32",
  power2: "f32",
  /** What the gradients of the last step were multiplied by; 0: the step was skipped. */
  factor: "f32",
  /** How many steps were skipped. */
  skipped: "f32",
  /** Updates since the optimizer began. */
  updates: "f32",
  /** Of RAdam: the sum of (2 j + 1) beta2^j over as many steps as there were updates. */
  length: "f32",
} as const satisfies WordTable;

/** Words of the state's buffer: whole vec4. */
export const LOSS_SCALE_WORDS = 8;

/** What the updates of a step read of it. */
export const APPLIED_SCALE = {
  /** Of the gradients; 0 where the step is to change nothing. */
  factor: "f32",
  /** Adam's bias corrections after this many updates. */
  correction1: "f32",
  correction2: "f32",
  /**
   * After this many updates: the share of the gradient itself in NAdam's step; the factor of
   * RAdam's, 0 where squares do not count yet.
   */
  adjustment: "f32",
} as const satisfies WordTable;

/** The place of a word in the state. */
export const inLossScale = (word: keyof typeof LOSS_SCALE): number => wordIndex(LOSS_SCALE, word);

/** The place of a word in what updates read. */
export const inAppliedScale = (word: keyof typeof APPLIED_SCALE): number =>
  wordIndex(APPLIED_SCALE, word);
