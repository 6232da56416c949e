/**
 * Counts the memory that code takes in typed arrays, which is where sizes that files say go. It
 * must be imported before what it watches: modules may keep constructors from when they were read.
 */

const counted = { largest: 0, total: 0 };

type Constructor = new (...given: never[]) => { readonly byteLength: number };

const NAMES = [
  ...["ArrayBuffer", "Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array"],
  ...["Int32Array", "Uint32Array", "Float32Array", "Float64Array", "BigInt64Array"],
  "BigUint64Array",
];

for (const name of NAMES) watch(name);

function watch(name: string): void {
  const original = (globalThis as unknown as Record<string, Constructor>)[name]!;
  const watched: Constructor = new Proxy(original, {
    construct(target, given, newTarget) {
      const made: InstanceType<Constructor> = Reflect.construct(
        target,
        given,
        newTarget === watched ? target : newTarget,
      );
      // Views of a buffer take no memory.
      if (!((given[0] as unknown) instanceof ArrayBuffer)) count(made.byteLength);
      return made;
    },
  });
  // What `map` and `slice` make is counted, too.
  Object.defineProperty(original.prototype, "constructor", { value: watched });
  Object.defineProperty(globalThis, name, { value: watched });
}

function count(bytes: number): void {
  counted.largest = Math.max(counted.largest, bytes);
  counted.total += bytes;
}

export interface Allocations {
  /** Bytes of the largest array. */
  readonly largest: number;
  /** Bytes of all arrays, also of those that were garbage before the end. */
  readonly total: number;
  /** Growth of the heap; less where the garbage collector ran. */
  readonly heap: number;
}

/** What an action allocates, whether it succeeds or not. */
export async function allocationsOf(action: () => Promise<void>): Promise<Allocations> {
  Object.assign(counted, { largest: 0, total: 0 });
  const before = process.memoryUsage().heapUsed;
  await action();
  return { ...counted, heap: process.memoryUsage().heapUsed - before };
}
