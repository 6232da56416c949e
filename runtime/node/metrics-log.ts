/** metrics.jsonl: a JSON object a line, written as the run goes. */
import { isStep, parseRecord, type MetricsRecord } from "../training/records.js";
import type { TrainingState } from "../training/state.js";
import { AppendFile } from "./append-file.js";
import { readText } from "./read-file.js";
import { writeFileAtomically } from "./write-file.js";

/** Writes `metrics.jsonl`. */
export class MetricsLog {
  private constructor(
    private readonly file: AppendFile,
    /** What a resumed run's user should know of the log that was there. */
    readonly notices: readonly string[],
  ) {}

  /**
   * Opens a log. A run that continues from a state keeps the records of what is done there, and
   * drops those of what it will do again; a new run starts an empty log. Throws a RunFailedError
   * where the file cannot be written; that it cannot be later on is told to `onFailure`.
   */
  static async open(
    path: string,
    start?: TrainingState,
    onFailure: (message: string) => void = console.warn,
  ): Promise<MetricsLog> {
    const old = start === undefined ? NOTHING : await readLog(path);
    const kept = old.records.filter((record) => isDone(record, start!));
    const notices = start === undefined ? [] : noticesOf(path, { ...old, records: kept }, start);
    await writeFileAtomically(path, kept.map(toLine).join(""));
    return new MetricsLog(AppendFile.open(path, onFailure), notices);
  }

  /**
   * Appends a record. It is in the file when the call returns, so that a killed run loses nothing.
   */
  write(record: MetricsRecord): void {
    this.file.write(toLine(record));
  }

  /** All records, those that could not be written among them. */
  async records(): Promise<MetricsRecord[]> {
    return [...(await readLog(this.file.path, this.file.unwritten.toString("utf8"))).records];
  }

  /** Brings all records to the disk. */
  sync(): void {
    this.file.sync();
  }

  close(): void {
    this.file.close();
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

/** What a file holds, and then what could not be written to it yet. */
async function readLog(path: string, unwritten = ""): Promise<LogContent> {
  const text = await readText(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined && unwritten === "") return NOTHING;
  const lines = ((text ?? "") + unwritten).split("\n");
  const rest = lines.pop()!;
  const records = lines.map(parseRecord);
  const known = [...records, parseRecord(rest)].filter((record) => record !== undefined);
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

/**
 * An epoch is done once it was evaluated: a state may be after its last step and before that.
 */
function isDone(record: MetricsRecord, { step, epoch, evaluated = 0 }: TrainingState): boolean {
  if (isStep(record)) return record.step <= step;
  return record.continues ? record.step <= evaluated : record.epoch <= epoch;
}

function toLine(record: MetricsRecord): string {
  return `${JSON.stringify(record)}\n`;
}
