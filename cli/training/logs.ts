/** metrics.jsonl in the run's folder, and in another file on request. */
import { join } from "node:path";
import { MetricsLog } from "../../runtime/node/training.js";
import {
  stepRecord,
  type MetricsRecord,
  type StepRecord,
  type StepReport,
  type TrainingState,
} from "../../runtime/training/index.js";
import { warn } from "../terminal.js";
import { judgedRecord, type JudgedEpoch } from "./judge.js";
import type { RunObserver, TrainingParts } from "./parts.js";

export class MetricsFiles implements RunObserver {
  private readonly paths: readonly string[];
  private logs: readonly MetricsLog[] = [];

  private readonly losses: readonly string[];

  constructor(
    { folder, recipe }: Pick<TrainingParts, "folder" | "recipe">,
    log: string | undefined,
  ) {
    this.losses = (recipe.steps ?? []).map(({ name }) => name);
    this.paths = [join(folder, "metrics.jsonl"), ...(log === undefined ? [] : [log])];
  }

  async begin(start: TrainingState | undefined): Promise<void> {
    this.logs = await Promise.all(this.paths.map((path) => MetricsLog.open(path, start, warn)));
    for (const notice of this.logs[0]!.notices) warn(notice);
  }

  /** Steps that are done again are written again. */
  async restart(state: TrainingState): Promise<void> {
    this.close();
    await this.begin(state);
  }

  step(report: StepReport): void {
    this.write(this.recordOf(report));
  }

  recordOf(report: StepReport): StepRecord {
    return stepRecord(report, this.losses);
  }

  epoch(report: JudgedEpoch): void {
    this.write(judgedRecord(report));
  }

  /** All records of the run, those before it was resumed among them. */
  records(): Promise<MetricsRecord[]> {
    return this.logs[0]!.records();
  }

  /** Brings the records to the disk, so that no checkpoint is ahead of them. */
  sync(): void {
    for (const log of this.logs) log.sync();
  }

  close(): void {
    for (const log of this.logs) log.close();
  }

  private write(record: MetricsRecord): void {
    for (const log of this.logs) log.write(record);
  }
}
