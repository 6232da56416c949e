/** metrics.jsonl: a JSON object a line, written as the run goes. */
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { isStep, type MetricsRecord } from "../training/records.js";
import type { TrainingState } from "../training/state.js";
import { writeError, writeFileAtomically } from "./write-file.js";

export class MetricsLog {
  private constructor(
    readonly path: string,
    private readonly file: number,
  ) {}

  /**
   * Opens a log. A run that goes on from a state keeps the records of what is done there, and drops those of what it will do again; a
   * new run starts an empty log. Throws a RunFailedError where the file cannot be written.
   */
  static async open(path: string, start?: TrainingState): Promise<MetricsLog> {
    const old = start === undefined ? [] : await readMetrics(path);
    const kept = old.filter((record) => isDone(record, start!));
    await writeFileAtomically(path, kept.map(toLine).join(""));
    return new MetricsLog(path, openSync(path, "a"));
  }

  /** Appends a record. It is in the file when the call returns, so that a killed run loses nothing. */
  write(record: MetricsRecord): void {
    try {
      writeSync(this.file, toLine(record));
    } catch (error) {
      throw writeError(this.path, error as NodeJS.ErrnoException);
    }
  }

  /** Brings all records to the disk. */
  sync(): void {
    fsyncSync(this.file);
  }

  close(): void {
    closeSync(this.file);
  }
}

/** The records of a log; none where there is no such file. A line cut off by a crash is left out. */
export async function readMetrics(path: string): Promise<MetricsRecord[]> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  return text.split("\n").flatMap((line) => parseLine(line));
}

/** An epoch is done once it was evaluated: a state may stand behind its last step and before that. */
function isDone(record: MetricsRecord, { step, epoch }: TrainingState): boolean {
  return isStep(record) ? record.step <= step : record.epoch <= epoch;
}

function parseLine(line: string): MetricsRecord[] {
  try {
    return [JSON.parse(line) as MetricsRecord];
  } catch {
    return [];
  }
}

function toLine(record: MetricsRecord): string {
  return `${JSON.stringify(record)}\n`;
}
