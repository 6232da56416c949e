import { bufferBytes } from "../../program/planned-memory.js";
import { stepsFor, type Affine, type BufferSize } from "../../program/program.js";
import type { Origin } from "../ir/origin.js";
import { clear } from "../kernels/clear.js";
import { dispatch } from "../lower/dispatch.js";
import type { StepDraft } from "../lower/step-draft.js";
import type { Storage } from "../plan/storage.js";

/** A buffer for scratch. */
export interface Slot {
  /** Of the largest value in it, and what that is of. */
  name: string;
  origin: Origin;
  bytes: BufferSize;
  /** The largest batch for which something is in it; any if undefined. */
  readonly largestBatch: number | undefined;
}

export interface MemoryPlan<Name extends string = string> {
  readonly slotOf: ReadonlyMap<Storage, Slot>;
  /**
   * The step lists, with steps that clear what must be zero and shares its buffer with something
   * else.
   */
  readonly lists: Readonly<Record<Name, readonly StepDraft[]>>;
}

/**
 * What a list's values may share a buffer with: only values of the same zeros, so that nothing is
 * ever cleared, or with any.
 */
export type Sharing = "alike" | "any";

/**
 * Batches at which sizes are compared: what matters is which of two values is larger, and at a
 * single image what does not grow counts most.
 */
const NOMINAL_BATCHES = [1, 32] as const;

const sizeOf = ({ fixed, perImage, least = 0 }: BufferSize) =>
  NOMINAL_BATCHES.reduce((sum, batch) => sum + Math.max(least, fixed + perImage * batch), 0);

/**
 * What does not grow with the batch (gradients of weights) takes its size in addition to what does
 * (activations).
 */
const asSize = ({ fixed, perImage, least = 0 }: BufferSize): Required<BufferSize> =>
  perImage > 0 ? { fixed, perImage, least } : { fixed: 0, perImage, least: Math.max(least, fixed) };

/** Room for one or the other. */
function larger(one: BufferSize, other: BufferSize): BufferSize {
  const [a, b] = [asSize(one), asSize(other)];
  const perImage = Math.max(a.perImage, b.perImage);
  const [fixed, least] = [Math.max(a.fixed, b.fixed), Math.max(a.least, b.least)];
  if (perImage === 0) return { fixed: least, perImage };
  return { fixed, perImage, least: least > 0 ? least : undefined };
}

interface Lifetime {
  readonly storage: Storage;
  readonly size: number;
  /** Of the step that first binds it. */
  readonly origin: Origin;
  readonly first: number;
  last: number;
  /** The largest batch for which a step binds it; any if undefined. */
  largestBatch: number | undefined;
}

/** Memory that some of a list's values share over time. */
class Room {
  bytes: BufferSize;
  size: number;
  readonly largestBatch: number | undefined;
  readonly lives: Lifetime[];
  /** The same by time. */
  private readonly inTime: Lifetime[];
  /** Whether all values have the same zeros. */
  private isAlike = true;
  /** What clearing the values with zeros counts, if others have none or other ones. */
  private zeroing: number;

  constructor(first: Lifetime) {
    const { storage, size, largestBatch } = first;
    this.bytes = storage.bytes;
    this.size = size;
    this.largestBatch = largestBatch;
    this.lives = [first];
    this.inTime = [first];
    this.zeroing = withZeroing(0, first);
  }

  get zeros(): string | undefined {
    return this.lives[0]!.storage.zeros;
  }

  take(lifetime: Lifetime): void {
    this.isAlike = this.isAlikeWith(lifetime);
    this.zeroing = withZeroing(this.zeroing, lifetime);
    this.bytes = larger(this.bytes, lifetime.storage.bytes);
    this.size = sizeOf(this.bytes);
    this.lives.push(lifetime);
    this.inTime.splice(this.placeOf(lifetime), 0, lifetime);
  }

  isFree(lifetime: Lifetime): boolean {
    const place = this.placeOf(lifetime);
    const [before, after] = [this.inTime[place - 1], this.inTime[place]];
    return !(before && before.last >= lifetime.first) && !(after && after.first <= lifetime.last);
  }

  /** Bytes that clearing counts beyond what it already does. */
  clearingCostOf(lifetime: Lifetime): number {
    const cost = this.isAlikeWith(lifetime) ? 0 : withZeroing(this.zeroing, lifetime);
    return cost - (this.isAlike ? 0 : this.zeroing);
  }

  /** The values that must find zeros where another may have left something else. */
  get toClear(): readonly Lifetime[] {
    return this.isAlike ? [] : this.lives.filter(({ storage }) => storage.zeros !== undefined);
  }

  private isAlikeWith({ storage }: Lifetime): boolean {
    return this.isAlike && storage.zeros === this.zeros;
  }

  /** How many of the values begin before one does. */
  private placeOf({ first }: Lifetime): number {
    let [low, high] = [0, this.inTime.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.inTime[middle]!.first <= first) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Bytes of memory that it is worth to clear a byte in each step, and to have one more dispatch. */
const CLEARED_BYTE = 0.05;
const CLEARING_STEP = 1024 * 1024;

const withZeroing = (cost: number, { storage, size }: Lifetime): number =>
  storage.zeros === undefined ? cost : cost + CLEARING_STEP + CLEARED_BYTE * size;

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
    const rooms = assignRooms(lifetimesOf(steps), sharing, bindable);
    slots.take(rooms);
    return [name, withClearing(steps, rooms)];
  });
  return {
    slotOf: slots.slotOf,
    lists: Object.fromEntries(planned) as MemoryPlan<Name>["lists"],
  };
}

/** The buffers: rooms of different lists share one where their sizes are near. */
class Slots {
  readonly slotOf = new Map<Storage, Slot>();
  private readonly slots: Slot[] = [];

  constructor(private readonly bindable: number) {}

  take(rooms: readonly Room[]): void {
    const free = new Set(this.slots);
    for (const room of rooms.toSorted((a, b) => b.size - a.size)) {
      const slot = nearest(room, free, this.bindable) ?? this.add(room);
      free.delete(slot);
      slot.bytes = larger(slot.bytes, room.bytes);
      for (const { storage } of room.lives) this.slotOf.set(storage, slot);
    }
  }

  private add({ bytes, largestBatch, lives }: Room): Slot {
    const { storage, origin } = largestOf(lives);
    const slot = { name: storage.name, origin, bytes, largestBatch };
    this.slots.push(slot);
    return slot;
  }
}

const largestOf = (lives: readonly Lifetime[]): Lifetime =>
  lives.reduce((largest, life) => (life.size > largest.size ? life : largest));

/** Whether one buffer for both can be bound with an image, or either alone cannot. */
function mayShare(one: BufferSize, other: BufferSize, bindable: number): boolean {
  const bytes = [larger(one, other), one, other].map((size) => bufferBytes(size, 1));
  return bytes[0]! <= Math.max(bindable, bytes[1]!, bytes[2]!);
}

/**
 * The slot that costs least by growing, or by what of it the room leaves unused; none if a slot of
 * the room's own would cost less.
 */
function nearest(
  { bytes, largestBatch }: Room,
  free: ReadonlySet<Slot>,
  bindable: number,
): Slot | undefined {
  let [best, least]: [Slot | undefined, number] = [undefined, sizeOf(bytes)];
  for (const slot of free) {
    if (slot.largestBatch !== largestBatch) continue;
    if (!mayShare(slot.bytes, bytes, bindable)) continue;
    const both = sizeOf(larger(slot.bytes, bytes));
    const cost = both - sizeOf(slot.bytes) + (both - sizeOf(bytes));
    if (cost < least) [best, least] = [slot, cost];
  }
  return best;
}

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

function lifetimesOf(steps: readonly StepDraft[]): Lifetime[] {
  const lifetimes = new Map<Storage, Lifetime>();
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
 * What grows with the batch comes first; what does not (gradients of weights) finds room in it,
 * where it is free. What only small batches need comes last: it may not make a room larger that
 * large batches have.
 */
const ORDER: readonly ((lifetime: Lifetime) => boolean)[] = [
  ({ largestBatch, storage }) => largestBatch === undefined && storage.bytes.perImage > 0,
  ({ largestBatch, storage }) => largestBatch === undefined && storage.bytes.perImage === 0,
  ({ largestBatch }) => largestBatch !== undefined,
];

function assignRooms(
  lifetimes: readonly Lifetime[],
  sharing: Sharing,
  bindable: number,
): readonly Room[] {
  const rooms: Room[] = [];
  const bySize = lifetimes.toSorted((a, b) => b.size - a.size);
  for (const lifetime of ORDER.flatMap((comes) => bySize.filter(comes))) {
    const room = cheapestRoom(lifetime, rooms, { sharing, bindable });
    if (room) room.take(lifetime);
    else rooms.push(new Room(lifetime));
  }
  return rooms;
}

interface Conditions {
  readonly sharing: Sharing;
  readonly bindable: number;
}

/** The free room that costs least, if that is less than a new room would. */
function cheapestRoom(
  lifetime: Lifetime,
  rooms: readonly Room[],
  { sharing, bindable }: Conditions,
): Room | undefined {
  const { bytes, zeros } = lifetime.storage;
  let [best, least]: [Room | undefined, number] = [undefined, lifetime.size];
  for (const room of rooms) {
    if (unusedCost(room, lifetime) >= least || !room.isFree(lifetime)) continue;
    if (sharing === "alike" && room.zeros !== zeros) continue;
    if (room.largestBatch !== lifetime.largestBatch && grows(room, bytes)) continue;
    const cost = joiningCost(room, lifetime);
    if (cost >= least || !mayShare(room.bytes, bytes, bindable)) continue;
    [best, least] = [room, cost];
    if (least === 0) break;
  }
  return best;
}

/** Whether a room would have to grow at some batch. */
function grows(room: Room, bytes: Affine): boolean {
  const [{ fixed, perImage, least }, wanted] = [asSize(room.bytes), asSize(bytes)];
  return wanted.fixed > fixed || wanted.perImage > perImage || wanted.least > least;
}

/**
 * Bytes by which the room grows, what clearing counts, and a little for what stays unused: between
 * equals, the nearest size.
 */
function joiningCost(room: Room, lifetime: Lifetime): number {
  const grown = sizeOf(larger(room.bytes, lifetime.storage.bytes)) - room.size;
  return grown + room.clearingCostOf(lifetime) + unusedCost(room, lifetime);
}

const unusedCost = (room: Room, { size }: Lifetime) => Math.abs(room.size - size) / 1024;

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
  const { fixed, perImage } = storage.bytes;
  return dispatch(clear(), {
    buffers: { y: storage },
    constants: { fixed_words: fixed / 4, image_words: perImage / 4 },
    threads: { fixed: fixed / 16, perImage: perImage / 16 },
    label: `${storage.name} cleared`,
    origin,
  });
}
