/** report.html in the run's folder. */
import { join } from "node:path";
import { renderReport } from "../../runtime/training/index.js";
import { writeOutput } from "../files.js";
import { formatDuration } from "../format.js";
import type { MetricsFiles } from "./logs.js";
import type { RunObserver, Stopwatch, TrainingParts } from "./parts.js";

export class ReportFile implements RunObserver {
  constructor(
    private readonly parts: TrainingParts,
    private readonly metrics: MetricsFiles,
    private readonly stopwatch: Stopwatch,
  ) {}

  async finish(): Promise<void> {
    const { network, recipe, compiled, folder } = this.parts;
    const title = `${recipe.model}, recipe ${recipe.name}`;
    const facts = {
      spec: compiled.spec.path,
      adapter: network.adapter.name,
      batch: String(recipe.batch),
      seed: String(recipe.seed),
      time: formatDuration(this.stopwatch.seconds),
    };
    const { fractions } = network.program;
    const records = await this.metrics.records();
    const html = renderReport({ title, facts, records, fractions });
    await writeOutput(join(folder, "report.html"), html);
  }
}
