/** Which evaluation of a run is its best: the one definition, for early stopping and for files. */
import type { BestRule, EarlyStopping, TrainRecipe } from "../../program/recipe.js";
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
export type Objective = BestRule;

type Measured = Pick<TrainableNetwork["program"], "metrics" | "fractions">;

/** What `stop` watches: in the direction of `best`, where that names the same metric. */
export function watchedBy(
  { metric }: Pick<EarlyStopping, "metric">,
  best: BestRule | undefined,
  { fractions = [] }: Measured,
): Objective {
  return best?.metric === metric ? best : { metric, rises: fractions.includes(metric) };
}

/**
 * What `best` says, or what `stop` watches; otherwise the recall of embeddings where an evaluation
 * has measured it, the model's first metric, the precision of boxes, and the loss in models without
 * one.
 */
export function objectiveOf(
  { stop, best, steps = [] }: Pick<TrainRecipe, "stop" | "best" | "steps">,
  { metrics = [], fractions = [] }: Measured,
  evaluated?: Metrics,
): Objective {
  if (best) return best;
  if (stop) return watchedBy(stop, best, { metrics, fractions });
  const measuresRecall = evaluated !== undefined && RECALL_METRIC in evaluated;
  if (measuresRecall) return { metric: RECALL_METRIC, rises: true };
  const losses = ["loss", ...steps.map(({ name }) => name)];
  const measured = metrics.find((name) => !losses.includes(name));
  const metric = measured ?? (fractions.includes("map") ? "map" : "loss");
  return { metric, rises: fractions.includes(metric) };
}

/**
 * Whether an evaluation is better than the best so far. Of equal ones the smaller loss is, and
 * where one of the two does not measure it: the precision of boxes by several ranks, or of no box.
 */
export function isBetter(
  { metric, rises }: Objective,
  { metrics }: Pick<Evaluation, "metrics">,
  best: Pick<Best, "metrics"> | undefined,
): boolean {
  const loss = metrics["loss"]!;
  const value = metrics[metric];
  if (!Number.isFinite(value ?? 0) || !Number.isFinite(loss)) return false;
  if (best === undefined) return true;
  const before = best.metrics[metric];
  const gain = value === undefined || before === undefined ? 0 : value - before;
  if (gain !== 0) return rises ? gain > 0 : gain < 0;
  return loss < best.metrics["loss"]!;
}
