import type { TrainStep } from "../../program/recipe.js";
import type { Graph, Value } from "./graph.js";

/** The graphs behind the step lists of a program. */
export interface StepGraphs {
  readonly train?: Graph;
  /** Absent where `train` does for slices as well. */
  readonly sliced?: SlicedTraining;
  readonly evaluate?: Graph;
  readonly predict: Graph;
  /** Absent where no running statistics are measured again for averaged weights. */
  readonly statistics?: StatisticsGraph | undefined;
  /** Of a training step in turns: those behind the first, which `train` and `sliced` are of. */
  readonly turns?: readonly TurnGraphs[] | undefined;
}

/** One of the turns of a training step: its forward graph, and what its weights follow. */
export interface Turn extends Pick<TrainStep, "name" | "optimizer"> {
  readonly graph: Graph;
}

export interface TurnGraphs extends Pick<StepGraphs, "sliced"> {
  readonly train: Graph;
}

/** The forward pass of training, and where it leaves the statistics of a batch. */
export interface StatisticsGraph {
  readonly graph: Graph;
  readonly layers: readonly {
    /** The parameters: mean and variance. */
    readonly running: readonly Value[];
    /** Values of the graph: the same two of the batch, the variance unbiased. */
    readonly states: readonly Value[];
    /** Values of a channel in an image. */
    readonly pixels: number;
  }[];
}

/** A training step in slices of the batch: what each slice does, and what follows the last. */
export interface SlicedTraining {
  /** Adds the gradients of a slice to the sums of the step. */
  readonly slice: Graph;
  /** Nothing but the updates of the parameters, by the sums. */
  readonly update: Graph;
  /** The sum of a parameter's gradients, a value of both graphs, by the parameter's id. */
  readonly sums: ReadonlyMap<number, Value>;
}
