import { clear } from "../kernels/clear.js";
import { dispatch } from "../lower/dispatch.js";
import type { StepDraft } from "../lower/step-draft.js";
import type { Storage } from "../plan/storage.js";
import { lifetimesOf } from "./lifetimes.js";
import type { Room, Sharing } from "./room.js";
import { assignRooms } from "./rooms.js";
import { Slots, type Slot } from "./slots.js";

export interface MemoryPlan<Name extends string = string> {
  readonly slotOf: ReadonlyMap<Storage, Slot>;
  /**
   * The step lists, with steps that clear what must be zero and shares its buffer with something
   * else.
   */
  readonly lists: Readonly<Record<Name, readonly StepDraft[]>>;
}

/**
 * The static memory plan: scratch whose lifetimes do not meet shares a buffer. Greedy, the largest
 * first, each where it costs least, which for the nested lifetimes of forward and backward comes
 * near the optimum (Pisarchyk and Lee, "Efficient memory management for deep neural net inference",
 * 2020). No step reads and writes one buffer, which WebGPU forbids.
 *
 * Halos must be zero. Values of the very same layout keep each other's zeros; one that shares its
 * buffer with other values is cleared by a separate step before it is written, which is worth its
 * time where it saves memory.
 *
 * No buffer becomes larger by sharing than can be bound with a single image, where its values alone
 * can.
 *
 * The lists never run at the same time, so each finds all buffers free; the runtime clears what
 * another list has used.
 */
export function planMemory<Name extends string>(
  lists: Readonly<
    Record<Name, { readonly steps: readonly StepDraft[]; readonly sharing: Sharing }>
  >,
  bindable: number,
): MemoryPlan<Name> {
  const slots = new Slots(bindable);
  const planned = Object.entries<(typeof lists)[Name]>(lists).map(([name, { steps, sharing }]) => {
    const rooms = assignRooms(lifetimesOf(steps), { sharing, bindable });
    slots.take(rooms);
    return [name, withClearing(steps, rooms)];
  });
  return {
    slotOf: slots.slotOf,
    lists: Object.fromEntries(planned) as MemoryPlan<Name>["lists"],
  };
}

function withClearing(steps: readonly StepDraft[], rooms: readonly Room[]): readonly StepDraft[] {
  const due = new Map<number, Storage[]>();
  for (const { storage, first } of rooms.flatMap(({ toClear }) => toClear)) {
    due.set(first, [...(due.get(first) ?? []), storage]);
  }
  return steps.flatMap((step, index) => [
    ...(due.get(index) ?? []).map((storage) => clearingStep(storage, step)),
    step,
  ]);
}

function clearingStep(storage: Storage, { origin }: StepDraft): StepDraft {
  const bytes = storage.element === "f16" ? 2 : 4;
  const [fixed, perImage] = [storage.bytes.fixed / bytes, storage.bytes.perImage / bytes];
  return dispatch(clear(), {
    buffers: { result: storage },
    constants: { fixed_words: fixed, image_words: perImage },
    threads: { fixed: fixed / 4, perImage: perImage / 4 },
    label: `${storage.name} cleared`,
    origin,
  });
}
