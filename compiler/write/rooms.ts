/** Which values of a list share memory. */
import type { Lifetime } from "./lifetimes.js";
import { costOf, leastCostOf, mayHave, Room, type Conditions, type RoomKind } from "./room.js";
import { RoomTree } from "./room-tree.js";

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

/** Greedy, the largest first, each where it costs least. */
export function assignRooms(
  lifetimes: readonly Lifetime[],
  conditions: Conditions,
): readonly Room[] {
  const rooms = new Rooms(conditions);
  const bySize = lifetimes.toSorted((a, b) => b.size - a.size);
  for (const lifetime of ORDER.flatMap((comes) => bySize.filter(comes))) rooms.place(lifetime);
  return rooms.all;
}

/** The first free room of a kind, and what a value costs there. */
interface Offer {
  readonly room: Room;
  readonly cost: number;
}

interface RoomsOfKind {
  readonly kind: RoomKind;
  readonly rooms: RoomTree;
}

/**
 * The rooms of a list by their kinds. Networks repeat blocks, so that there are few kinds, however
 * many rooms there are.
 */
class Rooms {
  readonly all: Room[] = [];
  private readonly kinds = new Map<string, RoomsOfKind>();

  constructor(private readonly conditions: Conditions) {}

  place(lifetime: Lifetime): void {
    const room = this.cheapest(lifetime);
    if (room) {
      const { key, taken } = room;
      room.take(lifetime);
      if (room.key === key && room.taken === taken) return;
      this.remove(key, room);
      this.add(room);
    } else {
      const made = new Room(this.all.length, lifetime);
      this.all.push(made);
      this.add(made);
    }
  }

  /** The free room that costs least, the first of several, if a new room would cost more. */
  private cheapest(lifetime: Lifetime): Room | undefined {
    let best: Offer | undefined;
    for (const ofKind of this.kinds.values()) {
      const offer = this.offer(ofKind, lifetime, best);
      if (offer && (!best || isBetter(offer, best))) best = offer;
    }
    return best?.room;
  }

  private offer(
    { kind, rooms }: RoomsOfKind,
    lifetime: Lifetime,
    best: Offer | undefined,
  ): Offer | undefined {
    const isTooMuch = (cost: number) => cost >= lifetime.size || (best && cost > best.cost);
    if (isTooMuch(leastCostOf(kind, lifetime))) return undefined;
    const cost = costOf(kind, lifetime);
    if (isTooMuch(cost) || !mayHave(kind, lifetime, this.conditions)) return undefined;
    const room = rooms.firstFree(lifetime);
    return room && { room, cost };
  }

  private add(room: Room): void {
    const { key, kind } = room;
    const ofKind = this.kinds.get(key) ?? { kind, rooms: new RoomTree() };
    this.kinds.set(key, ofKind);
    ofKind.rooms.add(room);
  }

  private remove(key: string, room: Room): void {
    const { rooms } = this.kinds.get(key)!;
    rooms.remove(room);
    if (rooms.isEmpty) this.kinds.delete(key);
  }
}

const isBetter = (offer: Offer, other: Offer): boolean =>
  offer.cost < other.cost || (offer.cost === other.cost && offer.room.place < other.room.place);
