import type { Lifetime, Span } from "./lifetimes.js";
import type { Room } from "./room.js";

/** Two halves of the places that rooms may have. */
interface Branch {
  /** Steps in which none of its rooms is free. */
  readonly taken: Span;
  readonly lower: Tree;
  readonly upper: Tree;
}

type Tree = Branch | Room | undefined;

/**
 * Rooms by their places. A value that is needed in a step in which all rooms of a branch are taken
 * skips the branch. Many values are kept for the backward pass: without branches, each value of the
 * backward pass would look at the rooms of all of them.
 */
export class RoomTree {
  private root: Tree;
  /** Places that the root has, a power of two. */
  private places = 1;

  get isEmpty(): boolean {
    return this.root === undefined;
  }

  add(room: Room): void {
    while (room.place >= this.places) {
      this.root = branch(this.root, undefined);
      this.places *= 2;
    }
    this.root = changed(this.root, this.places, room.place, room);
  }

  remove({ place }: Room): void {
    this.root = changed(this.root, this.places, place, undefined);
  }

  firstFree(lifetime: Lifetime): Room | undefined {
    return firstFree(this.root, lifetime);
  }
}

/** The tree, of a number of places, with another room, or none, at one of them. */
function changed(tree: Tree, places: number, place: number, room: Room | undefined): Tree {
  if (places === 1) return room;
  const half = places / 2;
  const { lower, upper } = (tree ?? NO_ROOMS) as Branch;
  return place < half
    ? branch(changed(lower, half, place, room), upper)
    : branch(lower, changed(upper, half, place - half, room));
}

const NO_ROOMS: Pick<Branch, "lower" | "upper"> = { lower: undefined, upper: undefined };

function branch(lower: Tree, upper: Tree): Tree {
  const only = lower ?? upper;
  if (!only) return undefined;
  const taken = lower && upper ? common(lower.taken, upper.taken) : only.taken;
  return { taken, lower, upper };
}

function firstFree(tree: Tree, lifetime: Lifetime): Room | undefined {
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
