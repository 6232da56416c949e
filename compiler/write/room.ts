import type { BufferSize } from "../../program/program.js";
import { grows, larger, mayShare, sizeOf } from "./buffer-sizes.js";
import type { Lifetime, Span } from "./lifetimes.js";

/**
 * What a list's values may share a buffer with: only values of the same zeros, so that nothing is
 * ever cleared, or with any.
 */
export type Sharing = "alike" | "any";

export interface Conditions {
  readonly sharing: Sharing;
  /** The most bytes of a storage binding. */
  readonly bindable: number;
}

/** All that the cost of a room depends on: rooms of equal kinds cost a value the same. */
export interface RoomKind {
  readonly bytes: BufferSize;
  readonly size: number;
  readonly largestBatch: number | undefined;
  /** Of the first value. */
  readonly zeros: string | undefined;
  /** Whether all values have the same zeros. */
  readonly isAlike: boolean;
  /** What clearing the values with zeros counts, if others have none or other ones. */
  readonly zeroing: number;
}

const keyOf = ({ bytes, largestBatch, zeros, isAlike, zeroing }: RoomKind): string =>
  [bytes.fixed, bytes.perImage, bytes.least, largestBatch, zeros, isAlike, zeroing].join(" ");

/** Bytes of memory that it is worth to clear a byte in each step, and to have one more dispatch. */
const CLEARED_BYTE = 0.05;
const CLEARING_STEP = 1024 * 1024;

const withZeroing = (cost: number, { storage, size }: Lifetime): number =>
  storage.zeros === undefined ? cost : cost + CLEARING_STEP + CLEARED_BYTE * size;

const kindOf = (lifetime: Lifetime): RoomKind => {
  const { storage, size, largestBatch } = lifetime;
  const { bytes, zeros } = storage;
  return { bytes, size, largestBatch, zeros, isAlike: true, zeroing: withZeroing(0, lifetime) };
};

const isAlikeWith = ({ isAlike, zeros }: RoomKind, { storage }: Lifetime): boolean =>
  isAlike && storage.zeros === zeros;

function joined(kind: RoomKind, lifetime: Lifetime): RoomKind {
  const bytes = larger(kind.bytes, lifetime.storage.bytes);
  const isAlike = isAlikeWith(kind, lifetime);
  const zeroing = withZeroing(kind.zeroing, lifetime);
  return { ...kind, bytes, size: sizeOf(bytes), isAlike, zeroing };
}

/** Whether a value may have a free room, whatever it costs. */
export function mayHave(
  kind: RoomKind,
  { storage: { bytes, zeros }, largestBatch }: Lifetime,
  { sharing, bindable }: Conditions,
): boolean {
  if (sharing === "alike" && kind.zeros !== zeros) return false;
  if (kind.largestBatch !== largestBatch && grows(kind.bytes, bytes)) return false;
  return mayShare(kind.bytes, bytes, bindable);
}

/**
 * What a value costs in a free room: bytes by which the room grows, what clearing counts, and a
 * little for what stays unused.
 */
export function costOf(kind: RoomKind, lifetime: Lifetime): number {
  const grown = sizeOf(larger(kind.bytes, lifetime.storage.bytes)) - kind.size;
  return grown + clearingCost(kind, lifetime) + unusedCost(kind, lifetime);
}

/** The same if the room need not grow: no more than `costOf`, and found in less time. */
export const leastCostOf = (kind: RoomKind, lifetime: Lifetime): number =>
  clearingCost(kind, lifetime) + unusedCost(kind, lifetime);

/** What clearing counts beyond what it already does. */
function clearingCost(kind: RoomKind, lifetime: Lifetime): number {
  const cost = isAlikeWith(kind, lifetime) ? 0 : withZeroing(kind.zeroing, lifetime);
  return cost - (kind.isAlike ? 0 : kind.zeroing);
}

/** Between rooms that need not grow, the nearest size is best. */
const unusedCost = (kind: RoomKind, { size }: Lifetime): number =>
  Math.abs(kind.size - size) / 1024;

/** Memory that some of a list's values share over time. */
export class Room {
  kind: RoomKind;
  /** The same for equal kinds. */
  key: string;
  /** Steps in which it is not free: of its longest life. */
  taken: Span;
  readonly lives: Lifetime[];
  /** The same by time. */
  private readonly inTime: Lifetime[];

  /** `place`: rooms that were made before have lower ones. */
  constructor(
    readonly place: number,
    first: Lifetime,
  ) {
    this.kind = kindOf(first);
    this.key = keyOf(this.kind);
    this.taken = first;
    this.lives = [first];
    this.inTime = [first];
  }

  take(lifetime: Lifetime): void {
    this.kind = joined(this.kind, lifetime);
    this.key = keyOf(this.kind);
    if (lengthOf(lifetime) > lengthOf(this.taken)) this.taken = lifetime;
    this.lives.push(lifetime);
    this.inTime.splice(this.beginningBefore(lifetime), 0, lifetime);
  }

  isFree(lifetime: Lifetime): boolean {
    const count = this.beginningBefore(lifetime);
    const [before, after] = [this.inTime[count - 1], this.inTime[count]];
    return !(before && before.last >= lifetime.first) && !(after && after.first <= lifetime.last);
  }

  /** The values that must find zeros where another may have left something else. */
  get toClear(): readonly Lifetime[] {
    if (this.kind.isAlike) return [];
    return this.lives.filter(({ storage }) => storage.zeros !== undefined);
  }

  /** How many of the values begin before one does. */
  private beginningBefore({ first }: Lifetime): number {
    let [low, high] = [0, this.inTime.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.inTime[middle]!.first <= first) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const lengthOf = ({ first, last }: Span) => last - first;
