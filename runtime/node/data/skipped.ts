/** Files that do not decode: reported by name, counted, and too many of them end the run. */
import type { SkippedExample } from "../../data/dataset.js";
import { DataError } from "../../data/error.js";

/** A file that could not be read, with the reason. */
export type SkippedFile = SkippedExample;

export interface SkipOptions {
  /** How many unreadable files a split may have: 1% of its files, but at least 10, unless told. */
  readonly maximumSkips?: number;
  /** Called once for each file that is skipped. */
  readonly onSkip?: (skipped: SkippedFile) => void;
  /** Told what the user should know although nothing is wrong, once. */
  readonly onNotice?: (notice: string) => void;
}

const NAMES_IN_MESSAGE = 5;

/** Ten bad files of twelve are not an accident: half must decode. */
export function toleratedSkips(files: number): number {
  return Math.min(Math.max(10, Math.ceil(files / 100)), Math.floor(files / 2));
}

export class SkipCounter {
  private readonly skipped = new Map<string, string>();
  private readonly maximum: number;
  /** Those that other ranks have not been told of. */
  private fresh: SkippedFile[] = [];

  constructor(
    private readonly directory: string,
    private readonly files: number,
    private readonly options: SkipOptions,
  ) {
    this.maximum = options.maximumSkips ?? toleratedSkips(files);
  }

  get count(): number {
    return this.skipped.size;
  }

  has(file: string): boolean {
    return this.skipped.has(file);
  }

  /** Records a file that cannot be decoded. Throws a DataError once there are too many. */
  add(file: string, reason: string): void {
    if (this.skipped.has(file)) return;
    this.fresh.push({ file, reason });
    this.skipped.set(file, reason);
    this.options.onSkip?.({ file, reason });
    if (this.skipped.size > this.maximum) throw this.tooMany();
  }

  /** Those since the last call. */
  take(): readonly SkippedFile[] {
    const { fresh } = this;
    this.fresh = [];
    return fresh;
  }

  /** Counts those of another rank, which has reported them. Throws like `add`. */
  note(files: readonly SkippedFile[]): void {
    for (const { file, reason } of files) this.skipped.set(file, reason);
    if (this.skipped.size > this.maximum) throw this.tooMany();
  }

  private tooMany(): DataError {
    const names = [...this.skipped].slice(0, NAMES_IN_MESSAGE);
    const rest = this.skipped.size - names.length;
    const lines = names.map(([file, reason]) => `  ${file}: ${reason}`);
    if (rest > 0) lines.push(`  and ${rest} more`);
    return new DataError(
      `${this.skipped.size} of the ${this.files} files in ${this.directory} cannot be decoded, ` +
        `and ${this.maximum} are tolerated:\n${lines.join("\n")}`,
      "repair or delete these files",
    );
  }
}
