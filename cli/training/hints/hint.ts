/** Something in a run that looks wrong, with what to try. */

export type HintName =
  "stuck-loss" | "one-class" | "overfitting" | "exploding-weights" | "dead-relu" | "one-sided";

export interface Hint {
  readonly name: HintName;
  /** What was seen, with the numbers. */
  readonly text: string;
  /** What to try. */
  readonly advice: string;
}
