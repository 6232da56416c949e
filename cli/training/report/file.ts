/** report.html and the files next to it in the run's folder, written at the run's end. */
import { join } from "node:path";
import type { ReportData } from "../../../report/data.js";
import { renderReport } from "../../../report/render.js";
import type { FitResult } from "../../../runtime/training/index.js";
import { writeOutput } from "../../files.js";
import type { MetricsFiles } from "../logs.js";
import type { RunObserver, TrainingParts } from "../parts.js";
import { describeRun, PREDICTIONS, RUN_FILE } from "../run-file.js";
import { readPageAssets } from "../../package.js";
import type { ReportBuilder } from "./build.js";

export class ReportFile implements RunObserver {
  /** The report as written, once the run has ended. */
  data?: ReportData;

  constructor(
    private readonly parts: TrainingParts,
    private readonly metrics: MetricsFiles,
    private readonly builder: ReportBuilder,
  ) {}

  async finish({ state, completed }: FitResult, signal: AbortSignal): Promise<void> {
    const records = await this.metrics.records();
    const { builder } = this;
    const { folder } = this.parts;
    const { data, predictions } = await (completed
      ? builder.complete(records, { signal, best: state.best })
      : builder.stopped(records));
    this.data = data;
    if (predictions !== undefined) await writeOutput(join(folder, PREDICTIONS), predictions);
    await writeOutput(join(folder, RUN_FILE), describeRun(data, this.parts.compiled.spec));
    await writeOutput(
      join(folder, "report.html"),
      renderReport(data, await readPageAssets("report")),
    );
  }
}
