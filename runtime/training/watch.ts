/** What a run learns from its evaluations: when to lower the learning rate, and when to end. */
import type { EarlyStopping, PlateauSchedule } from "../../program/recipe.js";

/** The state of `reduce_on_plateau`. */
export interface Plateau {
  /** The smallest loss so far; absent where none was finite. */
  readonly best?: number;
  /** Evaluations since without one that counts as smaller. */
  readonly bad: number;
  /** Of the learning rate. */
  readonly factor: number;
  /** Evaluations that are still not counted after the last reduction; 0 if absent. */
  readonly resting?: number;
}

/** The state of `early_stopping`. */
export interface Patience {
  /** The best value so far; absent where none was finite. */
  readonly best?: number;
  /** Evaluations since without one that counts as better. */
  readonly bad: number;
}

/** PyTorch's ReduceLROnPlateau with its relative threshold, watching a loss. */
export function watchPlateau(
  { factor, patience, threshold, to, cooldown = 0 }: PlateauSchedule,
  before: Plateau = { bad: 0, factor: 1 },
  loss: number,
): Plateau {
  const { best = Infinity, resting = 0 } = before;
  const isBetter = loss < best * (1 - threshold);
  const bad = isBetter || resting > 0 ? 0 : before.bad + 1;
  const reduces = bad > patience;
  const rest = reduces ? cooldown : Math.max(0, resting - 1);
  return {
    best: isBetter ? loss : before.best,
    bad: reduces ? 0 : bad,
    factor: reduces ? Math.max(to, before.factor * factor) : before.factor,
    resting: rest > 0 ? rest : undefined,
  };
}

/** A metric after an evaluation, and whether a larger one is better. */
export interface Watched {
  readonly value: number;
  readonly rises: boolean;
}

/** Counts evaluations that do not improve on the best so far by more than `minimumChange`. */
export function watchPatience(
  { minimumChange }: EarlyStopping,
  before: Patience = { bad: 0 },
  { value, rises }: Watched,
): Patience {
  const { best = rises ? -Infinity : Infinity, bad } = before;
  const gain = rises ? value - best : best - value;
  return gain > minimumChange ? { best: value, bad: 0 } : { ...before, bad: bad + 1 };
}
