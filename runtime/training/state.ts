/**
 * What a run has come to, apart from what its network holds. All of it is plain data, which a
 * checkpoint stores as a whole.
 */
import type { Best } from "./best.js";
import type { MeanState } from "./mean.js";
import { parseNumbers } from "./parse-numbers.js";
import type { Patience, Plateau } from "./watch.js";

/** How far a run has come. With what the network saves, all that it needs to continue. */
export interface TrainingState {
  /** Steps done. */
  readonly step: number;
  /** Epochs completed: trained, and evaluated where there is something to evaluate on. */
  readonly epoch: number;
  /** Batches of the current epoch done; all of them where its evaluation is still to come. */
  readonly position: number;
  /** What the current epoch's steps came to so far; absent before its first. */
  readonly training?: MeanState;
  /**
   * That the current epoch took up to its last step, with what it took before the run was resumed;
   * absent before its first.
   */
  readonly seconds?: number;
  /** The state of `reduce_on_plateau`. */
  readonly plateau?: Plateau;
  /** The state of `early_stopping`. */
  readonly patience?: Patience;
  /** The step of the last evaluation within an epoch; absent before the first. */
  readonly evaluated?: number;
  /** The best evaluation so far; absent before the first. */
  readonly best?: Best;
}

export const INITIAL_STATE: TrainingState = { step: 0, epoch: 0, position: 0 };

/** As JSON, which keeps each finite number to the last bit, and that others are not finite. */
export function serializeState(state: TrainingState): string {
  return JSON.stringify(state);
}

/** What `serializeState` made; undefined for any other text. */
export function parseState(text: string): TrainingState | undefined {
  try {
    const state = parseNumbers(text) as Partial<TrainingState>;
    const counts = [state.step, state.epoch, state.position];
    const isState = counts.every((count) => Number.isSafeInteger(count) && count! >= 0);
    // Earlier versions kept means of another form: a run does not continue from such a checkpoint
    // within an epoch.
    const sums = state.training?.sums ?? [];
    return isState && Array.isArray(sums) ? (state as TrainingState) : undefined;
  } catch {
    return undefined;
  }
}
