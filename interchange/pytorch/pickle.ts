/**
 * Reads Python's pickles of plain data: a machine with a stack and numbered places (the memo).
 * Python's own calls what a pickle names; this one knows a few names (rebuild.ts), makes plain data
 * of them and refuses all others, so that no file can run code. Protocols 2 to 5, as far as
 * torch.save writes them. See https://github.com/python/cpython/blob/main/Lib/pickletools.py.
 */
import { WeightsError } from "../../runtime/errors.js";
import { decodeText } from "../zip/byte-source.js";
import type { Cursor } from "./cursor.js";
import { call, lookUp, malformed, put } from "./rebuild.js";
import { Dictionary, Name, ScriptModule, Tuple, type Value } from "./values.js";

/** Real files have some thousands; a file made to fill the memory has more. */
const MOST_OBJECTS = 400_000;
/** Marks within marks: what one value is nested in while it is made. */
const DEEPEST = 1000;
const LONGEST_NAME = 1000;
/** Bytes of an integer: more than any count or key has. */
const LONGEST_INTEGER = 255;

/** Makes a storage of what a pickle says of it. */
export type PersistentLoad = (id: readonly Value[]) => Value;

/**
 * Reads one pickle, and leaves the cursor behind it. Throws WeightsError for all that is not plain.
 */
export function unpickle(
  cursor: Cursor,
  persistentLoad: PersistentLoad,
  options: { readonly isScript: boolean } = { isScript: false },
): Value {
  return new Machine(cursor, persistentLoad, options.isScript).run();
}

const EMPTY = new Tuple([]);

class Machine {
  private stack: Value[] = [];
  private readonly marks: Value[][] = [];
  private readonly memo = new Map<number, Value>();
  private objects = 0;

  constructor(
    readonly cursor: Cursor,
    private readonly persistentLoad: PersistentLoad,
    readonly isScript: boolean,
  ) {}

  run(): Value {
    for (let code = this.cursor.byte(); code !== STOP; code = this.cursor.byte()) {
      const step = STEPS[code];
      if (!step) throw unknownCode(code, this.cursor.position - 1);
      step(this, this.cursor);
    }
    return this.pop();
  }

  push(value: Value): void {
    if (this.objects++ === MOST_OBJECTS) {
      throw new WeightsError(
        `this file describes more than ${MOST_OBJECTS.toLocaleString("en")} values: no weights do`,
      );
    }
    this.stack.push(value);
  }

  pop(): Value {
    const value = this.stack.pop();
    if (value === undefined) throw malformed("a value missing");
    return value;
  }

  top(): Value {
    const value = this.stack.at(-1);
    if (value === undefined) throw malformed("a value missing");
    return value;
  }

  mark(): void {
    if (this.marks.length === DEEPEST) {
      throw new WeightsError(`values in this file are nested more than ${DEEPEST} deep`);
    }
    this.marks.push(this.stack);
    this.stack = [];
  }

  /** All that was pushed since the last mark. */
  popMark(): Value[] {
    const items = this.stack;
    const below = this.marks.pop();
    if (!below) throw malformed("a mark missing");
    this.stack = below;
    return items;
  }

  tuple(count: number): void {
    if (this.stack.length < count) throw malformed("a value missing");
    this.push(new Tuple(this.stack.splice(this.stack.length - count)));
  }

  put(index: number): void {
    this.memo.set(index, this.top());
  }

  get(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw malformed(`no value of number ${index}`);
    this.push(value);
  }

  memoize(): void {
    this.put(this.memo.size);
  }

  append(items: readonly Value[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw malformed("an element of no list");
    for (const item of items) list.push(item);
  }

  setItems(items: readonly Value[]): void {
    if (items.length % 2 === 1) throw malformed("a key without a value");
    const target = this.top();
    for (let index = 0; index < items.length; index += 2) {
      put(target, items[index], items[index + 1]!);
    }
  }

  reduce(): void {
    const args = this.pop();
    this.push(call(this.pop(), args));
  }

  /**
   * What a module of TorchScript holds; what an OrderedDict or a parameter has in addition to its
   * content is nothing that weights need.
   */
  build(): void {
    const state = this.pop();
    const target = this.top();
    if (target instanceof Name) throw malformed("a state of no object");
    if (!(target instanceof ScriptModule) || !(state instanceof Dictionary)) return;
    for (const [name, value] of state.entries) target.entries.set(name, value);
  }

  named(module: string, name: string): void {
    this.push(lookUp(module, name, this));
  }

  global(): void {
    const [name, module] = [this.pop(), this.pop()];
    if (typeof name !== "string" || typeof module !== "string")
      throw malformed("a name of no text");
    this.named(module, name);
  }

  persistent(): void {
    const id = this.pop();
    if (!(id instanceof Tuple)) throw malformed("a reference that is not to a storage");
    this.push(this.persistentLoad(id.items));
  }
}

type Step = (machine: Machine, cursor: Cursor) => void;

const STOP = ".".charCodeAt(0);

/** A text of this many bytes. */
const text = (machine: Machine, cursor: Cursor, length: number) =>
  machine.push(decodeText(cursor.bytes(length)));

/** Strings of Python 2 are its texts. */
const binary = (machine: Machine, cursor: Cursor, length: number) =>
  machine.push(cursor.bytes(length).slice());

/** An integer of this many bytes, the least first, in two's complement. */
function long(machine: Machine, cursor: Cursor, length: number): void {
  if (length > LONGEST_INTEGER) throw malformed(`an integer of ${length} bytes`);
  const bytes = cursor.bytes(length);
  let value = 0n;
  for (let index = length - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[index]!);
  const signed = BigInt.asIntN(8 * length, value);
  const number = Number(signed);
  machine.push(Number.isSafeInteger(number) ? number : signed);
}

const word = (cursor: Cursor) => cursor.view(4).getUint32(0, true);

function wide(cursor: Cursor): number {
  const value = Number(cursor.view(8).getBigUint64(0, true));
  return Number.isSafeInteger(value) ? value : Infinity;
}

/** By the characters that pickles call their operations. */
const BY_CHARACTER: Readonly<Record<string, Step>> = {
  "(": (machine) => machine.mark(),
  "0": (machine) => void machine.pop(),
  "1": (machine) => void machine.popMark(),
  "2": (machine) => machine.push(machine.top()),
  N: (machine) => machine.push(null),
  J: (machine, cursor) => machine.push(cursor.view(4).getInt32(0, true)),
  K: (machine, cursor) => machine.push(cursor.byte()),
  M: (machine, cursor) => machine.push(cursor.view(2).getUint16(0, true)),
  G: (machine, cursor) => machine.push(cursor.view(8).getFloat64(0, false)),
  X: (machine, cursor) => text(machine, cursor, word(cursor)),
  U: (machine, cursor) => text(machine, cursor, cursor.byte()),
  T: (machine, cursor) => text(machine, cursor, word(cursor)),
  B: (machine, cursor) => binary(machine, cursor, word(cursor)),
  C: (machine, cursor) => binary(machine, cursor, cursor.byte()),
  ")": (machine) => machine.push(EMPTY),
  "]": (machine) => machine.push([]),
  "}": (machine) => machine.push(new Dictionary()),
  t: (machine) => machine.push(new Tuple(machine.popMark())),
  l: (machine) => machine.push(machine.popMark()),
  a: (machine) => machine.append([machine.pop()]),
  e: (machine) => machine.append(machine.popMark()),
  s: (machine) => {
    const value = machine.pop();
    machine.setItems([machine.pop(), value]);
  },
  u: (machine) => machine.setItems(machine.popMark()),
  d: (machine) => {
    const items = machine.popMark();
    machine.push(new Dictionary());
    machine.setItems(items);
  },
  q: (machine, cursor) => machine.put(cursor.byte()),
  r: (machine, cursor) => machine.put(word(cursor)),
  h: (machine, cursor) => machine.get(cursor.byte()),
  j: (machine, cursor) => machine.get(word(cursor)),
  c: (machine, cursor) => machine.named(cursor.line(LONGEST_NAME), cursor.line(LONGEST_NAME)),
  R: (machine) => machine.reduce(),
  b: (machine) => machine.build(),
  Q: (machine) => machine.persistent(),
};

/** Those of protocol 2 and later. */
const BY_NUMBER: Readonly<Record<number, Step>> = {
  0x80: (_, cursor) => void cursor.byte(), // PROTO
  0x81: (machine) => machine.reduce(), // NEWOBJ
  0x85: (machine) => machine.tuple(1),
  0x86: (machine) => machine.tuple(2),
  0x87: (machine) => machine.tuple(3),
  0x88: (machine) => machine.push(true),
  0x89: (machine) => machine.push(false),
  0x8a: (machine, cursor) => long(machine, cursor, cursor.byte()),
  0x8b: (machine, cursor) => long(machine, cursor, word(cursor)),
  0x8c: (machine, cursor) => text(machine, cursor, cursor.byte()),
  0x8d: (machine, cursor) => text(machine, cursor, wide(cursor)),
  0x8e: (machine, cursor) => binary(machine, cursor, wide(cursor)),
  0x93: (machine) => machine.global(), // STACK_GLOBAL
  0x94: (machine) => machine.memoize(),
  0x95: (_, cursor) => void cursor.bytes(8), // FRAME
};

/** By the byte of the operation. */
const STEPS: readonly (Step | undefined)[] = Array.from({ length: 256 }, (_, code) => {
  return BY_NUMBER[code] ?? BY_CHARACTER[String.fromCharCode(code)];
});

/** Operations that weights have no use for, by what they would do. */
const REFUSED: Readonly<Record<string, string>> = {
  i: "make an object of a class (INST)",
  o: "make an object of a class (OBJ)",
  P: "refer to something by a text (PERSID)",
  "\u0092": "make an object of a class (NEWOBJ_EX)",
  "\u0082": "use an extension (EXT1)",
  "\u0083": "use an extension (EXT2)",
  "\u0084": "use an extension (EXT4)",
};

function unknownCode(code: number, position: number): WeightsError {
  const wish = REFUSED[String.fromCharCode(code)];
  if (wish !== undefined) return malformed(`an operation to ${wish}, which weights do not need`);
  return malformed(`an unknown operation, ${code}, at byte ${position}`);
}
