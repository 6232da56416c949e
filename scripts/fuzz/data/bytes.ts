/** Files with a few bytes changed, moved, added or missing. */
import { pick, type Random } from "../random.js";

interface Context {
  readonly random: Random;
  /** Other files of the same format. */
  readonly samples: readonly Uint8Array[];
}

type Mutation = (bytes: Uint8Array, context: Context) => Uint8Array;

/** Lengths, counts and offsets at the edges of what integers of some width hold. */
const EDGES = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

const NUMBERS = [
  ...["0", "-1", "1", "00", "1e9", "1e999", "0.5", "4294967296", "9007199254740993", "NaN"],
  ...["", " ", "null", "2147483648", "99999999999999999999", "0x10", "7,7", '"', "[", "{}"],
];

const mutations = {
  bit: at((byte, { random }) => [byte ^ (1 << random(8))]),
  byte: at((_, { random }) => [random(256)]),
  edge: at((_, { random }) => [pick([0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x2c, 0x22], random)]),
  word: (bytes, { random }) => writeWord(bytes, random),
  variable: (bytes, { random }) => writeVariable(bytes, random),
  fill(bytes, { random }) {
    const [start, end] = range(bytes, random, 64);
    return bytes.slice().fill(pick([0, 0xff, 0x20, random(256)], random), start, end);
  },
  number: changeNumber,
  cut: (bytes, { random }) => bytes.slice(0, random(bytes.length)),
  remove(bytes, { random }) {
    const [start, end] = range(bytes, random, 600);
    return join(bytes.subarray(0, start), bytes.subarray(end));
  },
  repeat(bytes, { random }) {
    const [start, end] = range(bytes, random, 600);
    return join(bytes.subarray(0, end), bytes.subarray(start));
  },
  insert(bytes, { random }) {
    const start = random(bytes.length + 1);
    const added = Uint8Array.from({ length: 1 + random(40) }, () => random(256));
    return join(bytes.subarray(0, start), added, bytes.subarray(start));
  },
  splice(bytes, { random, samples }) {
    const other = pick(samples, random);
    return join(bytes.subarray(0, random(bytes.length)), other.subarray(random(other.length)));
  },
} as const satisfies Record<string, Mutation>;

export type MutationKind = keyof typeof mutations;

const kinds = Object.keys(mutations) as MutationKind[];

export interface MutatedFile {
  readonly bytes: Uint8Array;
  /** Which mutations were applied, in order. */
  readonly kinds: readonly MutationKind[];
  /** The file before that. */
  readonly original: Uint8Array;
}

/**
 * One of `samples` after one to three mutations. Few: a file that is mostly intact is read further.
 */
export function mutateFile(samples: readonly Uint8Array[], random: Random): MutatedFile {
  const original = pick(samples, random);
  const chosen = Array.from({ length: 1 + random(3) }, () => pick(kinds, random));
  const bytes = chosen.reduce<Uint8Array>(
    (current, kind) =>
      current.length > 0 ? mutations[kind](current, { random, samples }) : current,
    original,
  );
  return { bytes, kinds: chosen, original };
}

function at(change: (byte: number, context: Context) => readonly number[]): Mutation {
  return (bytes, context) => {
    const changed = bytes.slice();
    const index = context.random(bytes.length);
    changed.set(change(bytes[index]!, context), index);
    return changed;
  };
}

function writeWord(bytes: Uint8Array, random: Random): Uint8Array {
  const width = pick([2, 4, 8], random);
  if (bytes.length < width) return bytes;
  const changed = bytes.slice();
  const view = new DataView(changed.buffer);
  const place = random(bytes.length - width + 1);
  const isLittle = random(2) === 0;
  const value = pick(EDGES, random);
  if (width === 2) view.setUint16(place, value, isLittle);
  else if (width === 4) view.setUint32(place, value, isLittle);
  else view.setBigUint64(place, BigInt(value) << BigInt(32 * random(2)), isLittle);
  return changed;
}

/** A large number of seven bits a byte, as Protocol Buffers and Thrift write them. */
function writeVariable(bytes: Uint8Array, random: Random): Uint8Array {
  const number = Uint8Array.of(0xfe, 0xff, 0xff, 0xff, 0x07).subarray(random(4));
  const changed = bytes.slice();
  const place = random(bytes.length);
  changed.set(number.subarray(0, bytes.length - place), place);
  return changed;
}

/** Another number in the place of one that is written in digits. */
function changeNumber(bytes: Uint8Array, { random }: Context): Uint8Array {
  const text = Buffer.from(bytes).toString("latin1");
  const numbers = [...text.matchAll(/\d+/g)];
  if (numbers.length === 0) return bytes;
  const { index, 0: digits } = pick(numbers, random);
  const number = Buffer.from(pick(NUMBERS, random));
  return join(bytes.subarray(0, index), number, bytes.subarray(index + digits.length));
}

function range(bytes: Uint8Array, random: Random, longest: number): [start: number, end: number] {
  const start = random(bytes.length);
  return [start, Math.min(bytes.length, start + 1 + random(longest))];
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
