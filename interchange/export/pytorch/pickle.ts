/**
 * Writes Python's pickles, protocol 2, of what a state_dict consists of. The reader's counterpart
 * is interchange/pytorch/pickle.ts.
 */

/** A value of a pickle. */
export type PickleValue =
  | null
  | boolean
  | string
  | number
  | { readonly float: number }
  | { readonly tuple: readonly PickleValue[] }
  | { readonly list: readonly PickleValue[] }
  | { readonly dictionary: readonly (readonly [PickleValue, PickleValue])[] }
  /** A name of a module: `torch`, `FloatStorage`. */
  | { readonly global: readonly [module: string, name: string] }
  /** What a function gives for these arguments. */
  | { readonly call: PickleValue; readonly with: readonly PickleValue[] }
  /** An ordered dictionary. */
  | { readonly ordered: readonly (readonly [PickleValue, PickleValue])[] }
  /** A reference that the file around the pickle resolves: to a storage. */
  | { readonly persistent: PickleValue };

export function pickle(value: PickleValue): Uint8Array {
  const bytes = new ByteList();
  bytes.push(0x80, 2);
  write(bytes, value);
  bytes.push(code("."));
  return bytes.finish();
}

const code = (character: string) => character.charCodeAt(0);

class ByteList {
  private bytes = new Uint8Array(1024);
  private length = 0;

  push(...values: readonly number[]): void {
    this.append(values);
  }

  append(values: ArrayLike<number>): void {
    const end = this.length + values.length;
    if (end > this.bytes.length) {
      const grown = new Uint8Array(2 * end);
      grown.set(this.bytes);
      this.bytes = grown;
    }
    this.bytes.set(values, this.length);
    this.length = end;
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

function write(bytes: ByteList, value: PickleValue): void {
  if (value === null) return bytes.push(code("N"));
  if (typeof value === "boolean") return bytes.push(value ? 0x88 : 0x89);
  if (typeof value === "string") return writeText(bytes, value);
  if (typeof value === "number") return writeInteger(bytes, value);
  if ("float" in value) return writeFloat(bytes, value.float);
  if ("tuple" in value) return writeMarked(bytes, value.tuple, "t");
  if ("list" in value) {
    bytes.push(code("]"));
    return writeMarked(bytes, value.list, "e");
  }
  if ("dictionary" in value) {
    bytes.push(code("}"));
    return writeMarked(bytes, value.dictionary.flat(), "u");
  }
  if ("ordered" in value) {
    write(bytes, { call: { global: ["collections", "OrderedDict"] }, with: [] });
    return writeMarked(bytes, value.ordered.flat(), "u");
  }
  if ("global" in value) {
    return bytes.append(new TextEncoder().encode(`c${value.global.join("\n")}\n`));
  }
  if ("persistent" in value) {
    write(bytes, value.persistent);
    return bytes.push(code("Q"));
  }
  write(bytes, value.call);
  write(bytes, { tuple: value.with });
  bytes.push(code("R"));
}

function writeMarked(bytes: ByteList, items: readonly PickleValue[], end: string): void {
  bytes.push(code("("));
  for (const item of items) write(bytes, item);
  bytes.push(code(end));
}

function writeText(bytes: ByteList, text: string): void {
  const encoded = new TextEncoder().encode(text);
  bytes.push(code("X"));
  bytes.append(bytesOf(4, (view) => view.setUint32(0, encoded.length, true)));
  bytes.append(encoded);
}

function writeInteger(bytes: ByteList, value: number): void {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 31) {
    bytes.push(code("J"));
    return bytes.append(bytesOf(4, (view) => view.setInt32(0, value, true)));
  }
  if (!Number.isSafeInteger(value)) throw new Error(`${value} is not an integer of a pickle`);
  bytes.push(0x8a, 8);
  bytes.append(bytesOf(8, (view) => view.setBigInt64(0, BigInt(value), true)));
}

function writeFloat(bytes: ByteList, value: number): void {
  bytes.push(code("G"));
  bytes.append(bytesOf(8, (view) => view.setFloat64(0, value, false)));
}

function bytesOf(length: number, set: (view: DataView) => void): Uint8Array {
  const buffer = new ArrayBuffer(length);
  set(new DataView(buffer));
  return new Uint8Array(buffer);
}
