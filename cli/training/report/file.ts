/** report.html in the run's folder, written at the run's end. */
import { join } from "node:path";
import type { ReportData } from "../../../report/data.js";
import { renderReport } from "../../../report/render.js";
import type { FitResult } from "../../../runtime/training/index.js";
import { writeOutput } from "../../files.js";
import type { MetricsFiles } from "../logs.js";
import type { RunObserver, TrainingParts } from "../parts.js";
import { readPageAssets, type ReportBuilder } from "./build.js";

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
    this.data = await (completed
      ? builder.complete(records, { signal, best: state.best })
      : builder.stopped(records));
    const html = renderReport(this.data, await readPageAssets());
    await writeOutput(join(this.parts.folder, "report.html"), html);
  }
}
