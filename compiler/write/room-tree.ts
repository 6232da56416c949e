import type { Lifetime, Span } from "./lifetimes.js";
import type { Room } from "./room.js";

/** Two halves of the places that rooms may have. */
interface Branch {
  /** Steps in which none of its rooms is free. */
  readonly taken: Span;
  readonly lower: Branch | Room | undefined;
  readonly upper: Branch | Room | undefined;
}

/**
 * Rooms by their places. A value that is needed in a step in which all rooms of a branch are taken
 * skips the branch. Many values are kept for the backward pass: without branches, each value of the
 * backward pass would look at the rooms of all of them.
 */
export class RoomTree {
  private root: Branch | Room | undefined;

  private readonly places: number;

  /** `most`: how many rooms there may be. */
  constructor(most: number) {
    this.places = 2 ** Math.ceil(Math.log2(most));
  }

  get isEmpty(): boolean {
    return this.root === undefined;
  }

  add(room: Room): void {
    this.root = this.changed(this.root, { place: room.place, room, size: this.places });
  }

  remove({ place }: Room): void {
    this.root = this.changed(this.root, { place, room: undefined, size: this.places });
  }

  firstFree(lifetime: Lifetime): Room | undefined {
    return firstFree(this.root, lifetime);
  }

  /** The tree with another room, or none, at a place among as many as `size`. */
  private changed(tree: Branch | Room | undefined, change: Change): Branch | Room | undefined {
    const { place, room, size } = change;
    if (size === 1) return room;
    const half = size / 2;
    const { lower, upper } = (tree ?? {}) as Partial<Branch>;
    return place < half
      ? branch(this.changed(lower, { ...change, size: half }), upper)
      : branch(lower, this.changed(upper, { place: place - half, room, size: half }));
  }
}

interface Change {
  readonly place: number;
  readonly room: Room | undefined;
  readonly size: number;
}

function branch(
  lower: Branch | Room | undefined,
  upper: Branch | Room | undefined,
): Branch | undefined {
  const only = lower ?? upper;
  if (!only) return undefined;
  const taken = lower && upper ? common(lower.taken, upper.taken) : only.taken;
  return { taken, lower, upper };
}

function firstFree(tree: Branch | Room | undefined, lifetime: Lifetime): Room | undefined {
  if (!tree || meet(tree.taken, lifetime)) return undefined;
  if (!("upper" in tree)) return tree.isFree(lifetime) ? tree : undefined;
  return firstFree(tree.lower, lifetime) ?? firstFree(tree.upper, lifetime);
}

/** The last step before the first where spans have no step in common. */
const common = (one: Span, other: Span): Span => ({
  first: Math.max(one.first, other.first),
  last: Math.min(one.last, other.last),
});

const meet = (one: Span, other: Span): boolean => {
  const { first, last } = common(one, other);
  return first <= last;
};
