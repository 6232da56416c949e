/** Which evaluation of a run is its best: the one definition, for early stopping and for files. */
import type { TrainRecipe } from "../../program/recipe.js";
import { RECALL_METRIC } from "../../program/tuples.js";
import type { Evaluation } from "./evaluate.js";
import type { Metrics, TrainableNetwork } from "./network.js";

/** The best evaluation of a run so far. */
export interface Best {
  /** Steps and epochs that the weights had been trained for. */
  readonly step: number;
  readonly epoch: number;
  readonly examples: number;
  readonly metrics: Metrics;
}

/** What a run is judged by. */
export interface Objective {
  readonly metric: string;
  /** Whether a larger value is better. */
  readonly rises: boolean;
}

/**
 * What `stop` watches; otherwise the recall of embeddings where an evaluation has measured it, the
 * model's first metric, the precision of boxes, and the loss in models without one.
 */
export function objectiveOf(
  { stop, steps = [] }: Pick<TrainRecipe, "stop" | "steps">,
  { metrics = [], fractions = [] }: Pick<TrainableNetwork["program"], "metrics" | "fractions">,
  evaluated?: Metrics,
): Objective {
  const measuresRecall = evaluated !== undefined && RECALL_METRIC in evaluated;
  if (!stop && measuresRecall) return { metric: RECALL_METRIC, rises: true };
  const losses = ["loss", ...steps.map(({ name }) => name)];
  const measured = metrics.find((name) => !losses.includes(name));
  const metric = stop?.metric ?? measured ?? (fractions.includes("map") ? "map" : "loss");
  return { metric, rises: fractions.includes(metric) };
}

/**
 * Whether an evaluation is better than the best so far. Of equal ones the smaller loss is, and of
 * those that do not measure it: the precision of boxes by several ranks, or of no box.
 */
export function isBetter(
  { metric, rises }: Objective,
  { metrics }: Pick<Evaluation, "metrics">,
  best: Pick<Best, "metrics"> | undefined,
): boolean {
  const loss = metrics["loss"]!;
  const value = metrics[metric] ?? 0;
  if (!Number.isFinite(value) || !Number.isFinite(loss)) return false;
  if (best === undefined) return true;
  const gain = value - (best.metrics[metric] ?? 0);
  if (gain !== 0) return rises ? gain > 0 : gain < 0;
  return loss < best.metrics["loss"]!;
}
