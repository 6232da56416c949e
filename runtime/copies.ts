/** Copies of what callers hand over, which they may change as soon as a call returns. */
import type { WeightsSource } from "./calls.js";
import type { Checkable, Inputs } from "./examples.js";
import type { Capture, Given } from "./pictures/picture.js";

type Values = Float32Array | Uint32Array | Uint8Array;

const KINDS = [Float32Array, Uint32Array, Uint8Array];

/** Arrays that wait for the next call: one in use, one that is being filled. */
const MOST_KEPT = 4;

/**
 * Copies in memory that is used again: the pages of a new array cost five times as much as the
 * copy.
 */
export class Copies {
  private readonly free: Values[] = [];

  /** @param read of a program with tokens: gives what calls take in the place of what is given */
  constructor(
    private readonly capture: Capture,
    private readonly read?: (given: Given) => Given,
  ) {}

  /**
   * Gives `work` images that the caller cannot change meanwhile: a copy, unless they are handed
   * over by `transfer`.
   */
  async keeping<T>(
    images: Given,
    transfer: boolean | undefined,
    work: (own: Checkable) => Promise<T>,
  ): Promise<T> {
    images = this.read?.(images) ?? images;
    const own = areNumbers(images)
      ? transfer
        ? images
        : this.ofImages(images)
      : this.capture(images);
    try {
      return await work(own);
    } finally {
      if (own !== images) this.release(own);
    }
  }

  /** A copy of inputs; what is not an array is returned as it is, to be refused. */
  private ofImages(images: Inputs): Inputs {
    if (images instanceof Float32Array) return this.of(images);
    const own = Object.entries(images).map(([name, values]: [string, unknown]) => [
      name,
      this.of(values as Values),
    ]);
    return Object.fromEntries(own) as Inputs;
  }

  /** Takes copies back once they have been uploaded. */
  private release(images: Checkable): void {
    const arrays = images instanceof Float32Array ? [images] : Object.values(images);
    this.free.unshift(
      ...(arrays as unknown[] as Values[]).filter((values) => ArrayBuffer.isView(values)),
    );
    this.free.length = Math.min(this.free.length, MOST_KEPT);
  }

  private of<Kind extends Values>(values: Kind): Kind {
    // The class of a Buffer is Uint8Array's heir: a copy is a plain array.
    const kind = KINDS.find((one) => values instanceof one);
    if (!kind) return values;
    const place = this.free.findIndex(
      (one) => one.constructor === kind && one.length === values.length,
    );
    if (place < 0) return new kind(values) as Kind;
    const [copy] = this.free.splice(place, 1);
    copy!.set(values);
    return copy as Kind;
  }
}

/** Whether something is numbers, alone or by name, and not pictures: by the names of classes. */
const areNumbers = (given: Given): given is Inputs =>
  /t (Float32Array|Object)]$/.test(Object.prototype.toString.call(given));

/** A copy of a file's bytes, none of a buffer that was transferred; else what it is. */
export const ownSource = (source: WeightsSource): OwnSource =>
  ArrayBuffer.isView(source) || isBuffer(source)
    ? new Uint8Array(source.byteLength ? viewOf(source) : [])
    : source;

/** Bytes that are the runtime's, or where they come from. */
export type OwnSource = Uint8Array<ArrayBuffer> | Blob | Response | URL | string;

/** By name: a frame's ArrayBuffer is of another class than the page's. */
export const isBuffer = (source: unknown): source is ArrayBufferLike =>
  /ArrayBuffer\]$/.test(Object.prototype.toString.call(source));

/** A plain view of what may be a Node Buffer, whose `slice` shares its memory. */
export const viewOf = (bytes: ArrayBufferView | ArrayBufferLike): Uint8Array =>
  ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
