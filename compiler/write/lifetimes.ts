/** From which step to which a list needs its scratch. */
import { stepsFor } from "../../program/program.js";
import type { Origin } from "../ir/origin.js";
import type { StepDraft } from "../lower/step-draft.js";
import type { Storage } from "../plan/storage.js";
import { sizeOf } from "./buffer-sizes.js";

/** Steps of a list, from the first to the last. */
export interface Span {
  readonly first: number;
  readonly last: number;
}

export interface Lifetime extends Span {
  readonly storage: Storage;
  readonly size: number;
  /** Of the step that first binds it. */
  readonly origin: Origin;
  /** The largest batch for which a step binds it; any if undefined. */
  readonly largestBatch: number | undefined;
}

/** In the order in which steps first bind it. */
export function lifetimesOf(steps: readonly StepDraft[]): readonly Lifetime[] {
  const lifetimes = new Map<Storage, { -readonly [Key in keyof Lifetime]: Lifetime[Key] }>();
  steps.forEach((step, index) => {
    for (const storage of step.storage) {
      if (storage.purpose !== "scratch") continue;
      const largestBatch = step.batches?.atMost;
      const lifetime = lifetimes.get(storage);
      if (lifetime) {
        lifetime.last = index;
        lifetime.largestBatch = largest(lifetime.largestBatch, largestBatch);
      } else {
        const { origin } = step;
        const size = sizeOf(storage.bytes);
        lifetimes.set(storage, { storage, size, origin, first: index, last: index, largestBatch });
      }
    }
  });
  return [...lifetimes.values()];
}

const largest = (a: number | undefined, b: number | undefined) =>
  a === undefined || b === undefined ? undefined : Math.max(a, b);

/**
 * Bytes of scratch at each step of a list: whatever shares buffers, the largest must be there. A
 * lower bound for plans of the very list, not for all orders in which it could be computed.
 */
export function aliveBytes(steps: readonly StepDraft[], batch: number): readonly number[] {
  const run = stepsFor(steps, batch);
  const alive = run.map(() => 0);
  for (const { storage, first, last } of lifetimesOf(run)) {
    const { fixed, perImage } = storage.bytes;
    for (let index = first; index <= last; index++) alive[index]! += fixed + perImage * batch;
  }
  return alive;
}
