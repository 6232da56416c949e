/** What a program came from: for tools that measure it, check it and choose among its schedules. */
import type { SlicedBatch } from "../program/planned-memory.js";
import type { WeightAverage } from "../program/recipe.js";
import type { Affine, BatchRange, Program } from "../program/program.js";
import type { AnyNode, Graph, Value } from "./ir/graph.js";
import type { ContractionSchedule } from "./schedules/schedule.js";
import type { StoredParameter } from "./layout/parameters.js";
import type { StepDraft } from "./lower/storage.js";
import type { Layouts } from "./layout/choose-layouts.js";
import type { ContractionProblem, PartialSums } from "./schedules/index.js";

/** A schedule that was chosen on the way. */
export interface Choice {
  readonly problem: ContractionProblem;
  readonly schedule: ContractionSchedule;
  /** What parts of K leave, and what can be bound of it. */
  readonly sums: PartialSums;
  /** The batches for which it was to be chosen; all if absent. */
  readonly batches?: BatchRange;
}

/** A node with the steps that it became: those from `first` up to `end` of its list. */
export interface TracedNode {
  readonly node: AnyNode;
  readonly first: number;
  readonly end: number;
  readonly choices: readonly Choice[];
  /** Its steps, if they are in the list `fold` instead. */
  readonly folded?: readonly StepDraft[];
}

/** A step list with the graph behind it. */
export interface TracedList {
  readonly graph: Graph;
  readonly layouts: Layouts;
  /**
   * In the graph's order. Steps before the first node bring in the batch, those after the last take
   * out the prediction.
   */
  readonly nodes: readonly TracedNode[];
  /** The list's steps with the memory that each binds, before that is planned. */
  readonly steps: readonly StepDraft[];
  /**
   * The parameter whose layout a value shares: of parameters themselves, their gradients and what
   * the optimizer keeps.
   */
  parameterOf(value: Value): StoredParameter | undefined;
  /** Whether a value is stored in 16 bits. */
  isHalf(value: Value): boolean;
  /** The program's buffers in which a value lies while it is needed. */
  buffersOf(value: Value): readonly number[];
}

/** How a program keeps to a budget. */
export interface BudgetFit extends SlicedBatch {
  readonly bytes: number;
  /** What is computed twice, in the order of the forward pass. */
  readonly repeated: readonly RepeatedValue[];
  /** Multiply-adds of a step, as a multiple of those without repetitions. */
  readonly work: number;
}

/** A budget that nothing can keep. */
export interface BudgetExcess {
  /** The least that training takes, with all that was tried, by what takes it. */
  readonly least: number;
  readonly weights: number;
  readonly optimizer: number;
  readonly values: number;
}

export interface RepeatedValue {
  /** `features.relu1`. */
  readonly name: string;
  readonly line: number;
  /** Multiply-adds an image. */
  readonly macs: number;
}

export interface TracedProgram {
  readonly program: Program;
  /** Of a program that was compiled for a budget of memory. */
  readonly fit?: BudgetFit;
  /** Of a program that cannot keep to it. */
  readonly excess?: BudgetExcess;
  /** Of a program that keeps averages of its parameters. */
  readonly average?: WeightAverage;
  readonly lists: {
    readonly train?: TracedList;
    readonly accumulate?: TracedList;
    readonly update?: TracedList;
    readonly evaluate?: TracedList;
    readonly predict: TracedList;
  };
}

/**
 * Bytes that a step moves, if each thing it binds is read or written once: what caches save on
 * reading the same again is as little counted as what they fail to save. What is changed in place
 * counts twice.
 */
export function trafficOf({ kernel, storage }: StepDraft): Affine {
  const outlives = (index: number) => ["parameter", "state"].includes(storage[index]!.purpose);
  const passes = kernel.storage.map(({ access }, index) =>
    access === "read_write" && outlives(index) ? 2 : 1,
  );
  const sum = (part: keyof Affine) =>
    storage.reduce((total, { bytes }, index) => total + passes[index]! * bytes[part], 0);
  return { fixed: sum("fixed"), perImage: sum("perImage") };
}
