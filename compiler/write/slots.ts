/** Buffers for the rooms of all lists. */
import type { BufferSize } from "../../program/program.js";
import type { Origin } from "../ir/origin.js";
import type { Storage } from "../plan/storage.js";
import { larger, mayShare, sizeOf } from "./buffer-sizes.js";
import type { Lifetime } from "./lifetimes.js";
import type { Room } from "./room.js";

/** A buffer for scratch. */
export interface Slot {
  /** Of the largest value in it, and what that is of. */
  name: string;
  origin: Origin;
  bytes: BufferSize;
  /** The largest batch for which something is in it; any if undefined. */
  readonly largestBatch: number | undefined;
}

/** The buffers: rooms of different lists share one where their sizes are near. */
export class Slots {
  readonly slotOf = new Map<Storage, Slot>();
  private readonly slots: Slot[] = [];

  constructor(private readonly bindable: number) {}

  /** Finds buffers for the rooms of one list. */
  take(rooms: readonly Room[]): void {
    const free = new FreeSlots(this.slots, this.bindable);
    for (const room of rooms.toSorted((a, b) => b.kind.size - a.kind.size)) {
      const slot = free.takeNearest(room) ?? this.add(room);
      slot.bytes = larger(slot.bytes, room.kind.bytes);
      for (const { storage } of room.lives) this.slotOf.set(storage, slot);
    }
  }

  private add({ kind: { bytes, largestBatch }, lives }: Room): Slot {
    const { storage, origin } = largestOf(lives);
    const slot = { name: storage.name, origin, bytes, largestBatch };
    this.slots.push(slot);
    return slot;
  }
}

const largestOf = (lives: readonly Lifetime[]): Lifetime =>
  lives.reduce((largest, life) => (life.size > largest.size ? life : largest));

/** A free slot with its place among all: of two that cost the same, the first is taken. */
interface FreeSlot {
  readonly slot: Slot;
  readonly place: number;
}

/** Slots that cost the same, in order, of which some were taken. */
interface EqualSlots {
  readonly slots: FreeSlot[];
  taken: number;
}

class FreeSlots {
  private readonly bySize = new Map<string, EqualSlots>();

  constructor(
    slots: readonly Slot[],
    private readonly bindable: number,
  ) {
    for (const [place, slot] of slots.entries()) {
      const { bytes, largestBatch } = slot;
      const key = [bytes.fixed, bytes.perImage, bytes.least, largestBatch].join(" ");
      const equal = this.bySize.get(key) ?? { slots: [], taken: 0 };
      this.bySize.set(key, equal);
      equal.slots.push({ slot, place });
    }
  }

  /**
   * The slot that costs least by growing, or by what of it the room leaves unused; none if a slot
   * of the room's own would cost less.
   */
  takeNearest({ kind: { bytes, largestBatch } }: Room): Slot | undefined {
    let nearest: { readonly equal: EqualSlots; readonly place: number } | undefined;
    let least = sizeOf(bytes);
    for (const equal of this.bySize.values()) {
      const free = equal.slots[equal.taken];
      if (!free || free.slot.largestBatch !== largestBatch) continue;
      if (!mayShare(free.slot.bytes, bytes, this.bindable)) continue;
      const cost = unsharedBytes(free.slot.bytes, bytes);
      const isFirst = nearest !== undefined && cost === least && free.place < nearest.place;
      if (cost < least || isFirst) [nearest, least] = [{ equal, place: free.place }, cost];
    }
    return nearest && nearest.equal.slots[nearest.equal.taken++]!.slot;
  }
}

/** By how much a buffer for both is larger than either, together. */
function unsharedBytes(one: BufferSize, other: BufferSize): number {
  const both = sizeOf(larger(one, other));
  return both - sizeOf(one) + (both - sizeOf(other));
}
