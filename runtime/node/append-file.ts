/** Logs that are written as a run goes. */
import { closeSync, constants, fstatSync, fsyncSync, openSync, writeSync } from "node:fs";
import { RunFailedError } from "../training/error.js";
import { kindOf } from "./read-file.js";
import { writeError } from "./write-file.js";

const APPEND =
  constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NONBLOCK ?? 0);

/**
 * A file that grows. What cannot be written, because the disk is full or gone, waits in memory and
 * is tried again with each write: losing a log never ends a run.
 */
export class AppendFile {
  private waiting = Buffer.alloc(0);
  private hasFailed = false;

  private constructor(
    readonly path: string,
    private readonly file: number,
    private readonly onFailure: (message: string) => void,
  ) {}

  /** Throws a RunFailedError where the file cannot be opened, or is not a regular one. */
  static open(path: string, onFailure: (message: string) => void): AppendFile {
    let file: number;
    try {
      file = openSync(path, APPEND, 0o666);
    } catch (error) {
      throw writeError(path, error as NodeJS.ErrnoException);
    }
    const status = fstatSync(file);
    if (status.isFile()) return new AppendFile(path, file, onFailure);
    closeSync(file);
    throw new RunFailedError(`${path} could not be written: it is ${kindOf(status)}, not a file`);
  }

  /** What is not in the file yet: nothing, unless writing fails. */
  get unwritten(): Buffer {
    return this.waiting;
  }

  /** The bytes are in the file when the call returns, so that a killed run loses nothing. */
  write(bytes: string | Uint8Array): void {
    this.waiting = Buffer.concat([this.waiting, Buffer.from(bytes)]);
    this.attempt(() => {
      // A disk with little space left takes a part.
      while (this.waiting.length > 0) {
        this.waiting = this.waiting.subarray(writeSync(this.file, this.waiting));
      }
      this.hasFailed = false;
    });
  }

  /** Brings what was written to the disk. */
  sync(): void {
    this.attempt(() => fsyncSync(this.file));
  }

  close(): void {
    this.attempt(() => closeSync(this.file));
  }

  /** Says once that something fails, until it succeeds again. */
  private attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      const { message } = writeError(this.path, error as NodeJS.ErrnoException);
      if (!this.hasFailed) this.onFailure(`${message}; the run continues, and tries again`);
      this.hasFailed = true;
    }
  }
}
