import type { Affine } from "../../program/program.js";
import type { StepDraft, Storage } from "../lower/storage.js";

/** A buffer for scratch, and what it holds over time. */
export interface Slot {
  readonly name: string;
  bytes: Affine;
  readonly zeros: string | undefined;
}

export interface MemoryPlan {
  readonly slots: readonly Slot[];
  readonly slotOf: ReadonlyMap<Storage, Slot>;
}

/** A batch at which sizes are compared: what matters is which of two values is larger, and the batch rarely turns that. */
const NOMINAL_BATCH = 32;

const sizeOf = ({ fixed, perImage }: Affine) => fixed + perImage * NOMINAL_BATCH;

const larger = (a: Affine, b: Affine): Affine => ({
  fixed: Math.max(a.fixed, b.fixed),
  perImage: Math.max(a.perImage, b.perImage),
});

interface Lifetime {
  readonly storage: Storage;
  readonly first: number;
  last: number;
}

/**
 * The static memory plan: scratch whose lifetimes do not meet shares a buffer. Greedy, the largest first, each into the smallest buffer that is
 * free throughout its life, which for the nested lifetimes of forward and backward comes near the optimum (Pisarchyk and Lee, "Efficient
 * memory management for deep neural net inference", 2020). No step reads and writes one buffer, which WebGPU forbids.
 *
 * Values with a halo share only with values of the very same layout, so that halos stay zero without being cleared. The lists (training,
 * evaluation, prediction) never run at the same time, so each finds all buffers free.
 */
export function planMemory(lists: readonly (readonly StepDraft[])[]): MemoryPlan {
  const slots: Slot[] = [];
  const slotOf = new Map<Storage, Slot>();
  for (const steps of lists) {
    const taken = new Map<Slot, Lifetime[]>();
    const lifetimes = lifetimesOf(steps).filter(({ storage }) => !slotOf.has(storage));
    lifetimes.sort((a, b) => sizeOf(b.storage.bytes) - sizeOf(a.storage.bytes));
    for (const lifetime of lifetimes) {
      const slot = freeSlot(lifetime, slots, taken) ?? addSlot(lifetime.storage, slots);
      slot.bytes = larger(slot.bytes, lifetime.storage.bytes);
      taken.set(slot, [...(taken.get(slot) ?? []), lifetime]);
      slotOf.set(lifetime.storage, slot);
    }
  }
  return { slots, slotOf };
}

function lifetimesOf(steps: readonly StepDraft[]): Lifetime[] {
  const lifetimes = new Map<Storage, Lifetime>();
  steps.forEach((step, index) => {
    for (const storage of step.storage) {
      if (storage.purpose !== "scratch") continue;
      const lifetime = lifetimes.get(storage);
      if (lifetime) lifetime.last = index;
      else lifetimes.set(storage, { storage, first: index, last: index });
    }
  });
  return [...lifetimes.values()];
}

/** The free slot whose size is nearest: it grows if need be, which costs no more than a new one would. */
function freeSlot(
  { storage, first, last }: Lifetime,
  slots: readonly Slot[],
  taken: ReadonlyMap<Slot, readonly Lifetime[]>,
): Slot | undefined {
  const isFree = (slot: Slot) =>
    (taken.get(slot) ?? []).every((other) => other.last < first || last < other.first);
  const distance = (slot: Slot) => Math.abs(sizeOf(slot.bytes) - sizeOf(storage.bytes));
  return slots
    .filter(
      (slot) =>
        slot.zeros === storage.zeros && growsAlike(slot.bytes, storage.bytes) && isFree(slot),
    )
    .reduce<Slot | undefined>(
      (best, slot) => (best && distance(best) <= distance(slot) ? best : slot),
      undefined,
    );
}

/**
 * What grows with the batch (activations) does not share with what does not (gradients of weights): a slot for both would have to
 * hold the sum, since its size is affine in the batch.
 */
const growsAlike = (a: Affine, b: Affine) => a.perImage > 0 === b.perImage > 0;

function addSlot({ bytes, zeros }: Storage, slots: Slot[]): Slot {
  const slot: Slot = { name: `scratch ${slots.length + 1}`, bytes, zeros };
  slots.push(slot);
  return slot;
}
