/** best.safetensors: the weights of the evaluation that went best. */
import { join } from "node:path";
import { saveWeights } from "../../runtime/node/training.js";
import { isEvaluation, type EpochReport } from "../../runtime/training/index.js";
import { classesMetadata } from "../weights.js";
import type { MetricsFiles } from "./logs.js";
import type { RunObserver, TrainingParts } from "./parts.js";

export class BestWeights implements RunObserver {
  private best = -Infinity;

  constructor(
    private readonly parts: TrainingParts,
    private readonly metrics: MetricsFiles,
  ) {}

  /** A resumed run goes on from the best of the evaluations before it. */
  async begin(): Promise<void> {
    const evaluations = (await this.metrics.records()).filter(isEvaluation);
    const scores = evaluations.map((record) => this.scoreOf(record.eval));
    this.best = Math.max(this.best, ...scores);
  }

  async restart(): Promise<void> {
    this.best = -Infinity;
    await this.begin();
  }

  async epoch({ evaluation }: EpochReport): Promise<void> {
    if (evaluation === undefined) return;
    const score = this.scoreOf(evaluation.metrics);
    if (!(score > this.best)) return;
    this.best = score;
    const { folder, network, dataset } = this.parts;
    const metadata = classesMetadata(dataset.classes);
    await saveWeights(join(folder, "best.safetensors"), network, metadata);
  }

  /** What "best" means: the first metric that is a share, else the loss, the smaller the better. */
  private scoreOf(metrics: Readonly<Record<string, number>>): number {
    const [share] = this.parts.network.program.fractions;
    const value = share === undefined ? undefined : metrics[share];
    return value ?? -(metrics["loss"] ?? Infinity);
  }
}
