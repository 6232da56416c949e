/** What the compiler hands the runtime to see inside a network. */
import type { Program } from "./program.js";

export interface InsideLayer {
  /** The full name: `features.conv1`. */
  readonly name: string;
  /** As specs write it: `conv`. */
  readonly kind: string;
  /** What holds its value after the list `predict`: an index in the program's tensors. */
  readonly activation: number;
  /**
   * What holds its value, and the gradient of the scores with regard to it, after the list
   * `evaluate`; absent where the scores do not depend on the layer.
   */
  readonly attribution?: readonly [value: number, gradient: number] | undefined;
}

/**
 * A program of the same parameters: its list `predict` leaves the values of all layers, `evaluate`
 * also the gradients of the sum of the scores, each times its value of the input `scores`.
 */
export interface InsideProgram {
  readonly program: Program;
  /** The tensor that weights the scores of the network's first output. */
  readonly scores: number;
  readonly layers: readonly InsideLayer[];
}
