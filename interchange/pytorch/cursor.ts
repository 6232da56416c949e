/** Reads ranges of a PyTorch file, each of which must be inside it. */
import { WeightsError } from "../../runtime/errors.js";
import { decodeText, isInside, type ByteSource } from "../zip/byte-source.js";

/** Copies bytes out of a file. Throws WeightsError, before it allocates, where the file ends. */
export function readBytes(source: ByteSource, start: number, length: number): Uint8Array {
  assertInside(source, start, length);
  const bytes = new Uint8Array(length);
  source.readInto(bytes, start);
  return bytes;
}

export function assertInside(source: ByteSource, start: number, length: number): void {
  if (isInside(source, start, length)) return;
  throw new WeightsError(
    "this PyTorch file is truncated or damaged: " +
      `it refers to bytes ${start} to ${start + length}, ` +
      `and has ${source.size}`,
  );
}

const CHUNK = 65_536;

/** Reads a source from a place on, a few bytes at a time. */
export class Cursor {
  private chunk: Uint8Array = new Uint8Array(0);
  private chunkStart = 0;

  constructor(
    private readonly source: ByteSource,
    public position: number,
    /** Where reading must end. */
    readonly end: number,
  ) {}

  byte(): number {
    const index = this.position - this.chunkStart;
    if (index < 0 || index >= this.chunk.length) return this.load(1)[0]!;
    this.position++;
    return this.chunk[index]!;
  }

  /** The next bytes; valid until the next call. */
  bytes(length: number): Uint8Array {
    const index = this.position - this.chunkStart;
    if (index < 0 || index + length > this.chunk.length) return this.load(length);
    this.position += length;
    return this.chunk.subarray(index, index + length);
  }

  /** Text up to the end of the line, without it. */
  line(maximum: number): string {
    const codes: number[] = [];
    for (let code = this.byte(); code !== NEW_LINE; code = this.byte()) {
      if (codes.length === maximum) throw new WeightsError("a name in this file has no end");
      codes.push(code);
    }
    return decodeText(Uint8Array.from(codes));
  }

  view(length: number): DataView {
    const { buffer, byteOffset } = this.bytes(length);
    return new DataView(buffer, byteOffset, length);
  }

  private load(length: number): Uint8Array {
    const rest = this.end - this.position;
    if (length > rest) {
      throw new WeightsError(
        `this PyTorch file is truncated or damaged: ${length} bytes are expected at byte ` +
          `${this.position}, and ${Math.max(0, rest)} are left`,
      );
    }
    this.chunk = readBytes(this.source, this.position, Math.min(rest, Math.max(length, CHUNK)));
    this.chunkStart = this.position;
    this.position += length;
    return this.chunk.subarray(0, length);
  }
}

const NEW_LINE = 10;
