/** Ranges of a file, read as they are asked for. */
import { closeSync, fstatSync, readSync } from "node:fs";
import type { ByteSource } from "../interchange/pytorch/index.js";
import { openFileSync } from "../runtime/node/read-file.js";
import { WeightsError } from "../runtime/errors.js";

/** Systems read 2 GiB at once at most. */
const MOST_AT_ONCE = 1 << 30;

export class FileSource implements ByteSource {
  readonly size: number;

  private constructor(
    private readonly file: number,
    size: number,
  ) {
    this.size = size;
  }

  /** Opens a regular file for as long as `use` takes. Throws the system's errors. */
  static use<Result>(path: string, use: (source: FileSource) => Result): Result {
    const file = openFileSync(path);
    try {
      return use(new FileSource(file, fstatSync(file).size));
    } finally {
      closeSync(file);
    }
  }

  readInto(target: Uint8Array, start: number): void {
    for (let done = 0; done < target.length;) {
      const length = Math.min(MOST_AT_ONCE, target.length - done);
      const read = readSync(this.file, target, done, length, start + done);
      if (read === 0) throw new WeightsError("the file became shorter while it was read");
      done += read;
    }
  }
}
