/**
 * Files of torch.save before 1.6 (`_use_new_zipfile_serialization=False`): five pickles, one after
 * the other (a magic number, the version, the machine, the object, the keys of its storages), and
 * then each storage as its length (8 bytes) and its numbers.
 */
import { visible } from "../../program/visible.js";
import { WeightsError } from "../../runtime/errors.js";
import { describedStorage } from "./archive.js";
import type { ByteSource } from "../zip/byte-source.js";
import { assertInside, Cursor } from "./cursor.js";
import type { Checkpoint } from "./checkpoint.js";
import { unpickle } from "./pickle.js";
import { malformed, sizeOf } from "./rebuild.js";
import { Dictionary, StorageView, Tuple, type Storage, type Value } from "./values.js";

export const MAGIC_NUMBER = 0x1950a86a20f9469cfc6cn;
const VERSION = 1001;

export function readLegacy(source: ByteSource): Checkpoint {
  const cursor = new Cursor(source, 0, source.size);
  const plain = () => unpickle(cursor, () => refuse("a storage where none can be"));
  if (plain() !== MAGIC_NUMBER) {
    throw new WeightsError("this is a pickle of Python, but not one that torch.save wrote");
  }
  if (plain() !== VERSION) refuse("an unknown version");
  refuseBigEndian(plain());
  const storages = new Map<string, Storage>();
  const root = unpickle(cursor, (id) => referenced(id, storages));
  const places = placesOf(source, cursor, plain(), storages);
  return {
    root,
    readStorage: ({ key }, target) => source.readInto(target, places.get(key)!),
  };
}

function refuse(what: string): never {
  throw malformed(what);
}

function refuseBigEndian(machine: Value): void {
  if (machine instanceof Dictionary && machine.entries.get("little_endian") === true) return;
  throw new WeightsError(
    "the numbers in this file are not little-endian: load it in PyTorch and save it again",
  );
}

/** `("storage", TYPE, KEY, DEVICE, LENGTH, PART)`; a part is `(KEY, OFFSET, LENGTH)` or None. */
function referenced(id: readonly Value[], storages: Map<string, Storage>): StorageView {
  const storage = describedStorage(id);
  const known = storages.get(storage.key);
  if (known && (known.type !== storage.type || known.length !== storage.length)) {
    refuse(`two storages \`${visible(storage.key)}\``);
  }
  storages.set(storage.key, known ?? storage);
  const part = id[5];
  const offset = part instanceof Tuple ? sizeOf(part.items[1]) : 0;
  return new StorageView(known ?? storage, offset);
}

/** Where the numbers of each storage begin, which are all in the file. */
function placesOf(
  source: ByteSource,
  cursor: Cursor,
  keys: Value,
  storages: ReadonlyMap<string, Storage>,
): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  for (const key of Array.isArray(keys) ? keys : refuse("no list of its storages")) {
    const storage = typeof key === "string" ? storages.get(key) : undefined;
    if (!storage) return refuse("a storage that no tensor uses");
    const length = Number(cursor.view(8).getBigInt64(0, true));
    if (length !== storage.length) {
      refuse(`a storage of ${length} numbers that should have ${storage.length}`);
    }
    const bytes = storage.length * storage.type.width;
    assertInside(source, cursor.position, bytes);
    places.set(storage.key, cursor.position);
    cursor.position += bytes;
  }
  const missing = [...storages.keys()].find((key) => !places.has(key));
  if (missing !== undefined) refuse(`no storage \`${visible(missing)}\``);
  return places;
}
