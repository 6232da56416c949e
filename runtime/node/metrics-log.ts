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
    /** What a resumed run's user should know of the log that was there. */
    readonly notices: readonly string[],
  ) {}

  /**
   * Opens a log. A run that goes on from a state keeps the records of what is done there, and drops those of what it will do again; a
   * new run starts an empty log. Throws a RunFailedError where the file cannot be written.
   */
  static async open(path: string, start?: TrainingState): Promise<MetricsLog> {
    const old = start === undefined ? NOTHING : await readLog(path);
    const kept = old.records.filter((record) => isDone(record, start!));
    const notices = start === undefined ? [] : noticesOf(path, { ...old, records: kept }, start);
    await writeFileAtomically(path, kept.map(toLine).join(""));
    return new MetricsLog(path, openSync(path, "a"), notices);
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

/**
 * The records of a log; none where there is no such file. Lines that are not records are left out.
 */
export async function readMetrics(path: string): Promise<MetricsRecord[]> {
  return [...(await readLog(path)).records];
}

interface LogContent {
  readonly records: readonly MetricsRecord[];
  readonly exists: boolean;
  /** Whole lines that are not records. A crash may leave a part of a line behind the last. */
  readonly garbled: number;
}

const NOTHING: LogContent = { records: [], exists: false, garbled: 0 };

async function readLog(path: string): Promise<LogContent> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return NOTHING;
  const lines = text.split("\n");
  const rest = lines.pop()!;
  const records = lines.map(parseLine);
  const known = [...records, parseLine(rest)].filter((record) => record !== undefined);
  return { records: known, exists: true, garbled: records.filter((record) => !record).length };
}

/** No checkpoint is ahead of its log, so each of its steps is in there. */
function noticesOf(
  path: string,
  { records, exists, garbled }: LogContent,
  { step }: TrainingState,
): string[] {
  if (!exists) return step > 0 ? [`${path} is missing: curves begin after step ${step}`] : [];
  const steps = new Set(records.filter(isStep).map((record) => record.step)).size;
  const lines =
    garbled === 1 ? "1 line that is not a record" : `${garbled} lines that are not records`;
  return [
    ...(garbled > 0 ? [`${path} has ${lines}: left out`] : []),
    ...(steps < step ? [`${path} has ${steps} of the ${step} steps that are done`] : []),
  ];
}

/** An epoch is done once it was evaluated: a state may stand behind its last step and before that. */
function isDone(record: MetricsRecord, { step, epoch }: TrainingState): boolean {
  return isStep(record) ? record.step <= step : record.epoch <= epoch;
}

function parseLine(line: string): MetricsRecord | undefined {
  try {
    const record = JSON.parse(line) as Partial<MetricsRecord> | null;
    const isRecord = [record?.step, record?.epoch].every((count) => Number.isSafeInteger(count));
    return isRecord ? (record as MetricsRecord) : undefined;
  } catch {
    return undefined;
  }
}

function toLine(record: MetricsRecord): string {
  return `${JSON.stringify(record)}\n`;
}
