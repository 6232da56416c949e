/** Bytes of a file by their place, so that a large file need not be in memory as a whole. */
export interface ByteSource {
  /** Bytes in the file. */
  readonly size: number;
  /** Fills `target` from the file's bytes at `start`; both ends are within the file. */
  readInto(target: Uint8Array, start: number): void;
}

/** A source over bytes in memory. */
export function sourceOf(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    readInto: (target, start) => target.set(bytes.subarray(start, start + target.length)),
  };
}

export const isInside = ({ size }: ByteSource, start: number, length: number): boolean =>
  start >= 0 && length >= 0 && start + length <= size;

const decoder = new TextDecoder("utf-8");

/** UTF-8 text; bytes that are not UTF-8 become replacement characters. */
export function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
