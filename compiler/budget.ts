/**
 * Training within a budget of memory: by slices of the batch, by computing values again instead of
 * keeping them, or both.
 */
import { trainingBytes, type SlicedBatch } from "../program/planned-memory.js";
import { stepsFor, type Program, type ProgramBuffer } from "../program/program.js";
import type { Graph } from "./ir/graph.js";
import {
  chooseRepeated,
  MACS_PER_BYTE,
  timeOf,
  type RepetitionChoice,
} from "./passes/choose-repeated.js";
import { fusedTraining } from "./passes/step-graphs.js";
import { compileGraph, type CompiledProgram, type ProgramOptions } from "./program.js";

export interface MemoryBudget {
  /** Of training: weights, what the optimizer keeps, and the values of a step. */
  readonly bytes: number;
  /** Images a step. */
  readonly batch: number;
  /** Slices of the batch in any case; 1 unless given. */
  readonly accumulate?: number | undefined;
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

/** A program that was compiled for a budget of memory. */
export interface FittedProgram extends CompiledProgram {
  /** How it keeps to it. */
  readonly fit?: BudgetFit;
  /** What it takes, if nothing keeps to it. */
  readonly excess?: BudgetExcess;
}

/**
 * The program with which a training step keeps to the budget in the least time; where none does,
 * the plain one, with what it takes at least (`excess`). Slices repeat no arithmetic, but read and
 * update the weights once more each; a repetition takes the time of its kernel. With batch
 * normalization, whose statistics slices would change, there are no more slices than must be.
 */
export function compileWithin(
  forward: Graph,
  options: ProgramOptions,
  budget: MemoryBudget,
): FittedProgram {
  return new BudgetSearch(forward, options, budget).run();
}

/** A way to keep to the budget: a number of slices and a choice of repetitions. */
interface Way {
  readonly slices: number;
  readonly choice: number;
  readonly time: number;
}

class BudgetSearch {
  private readonly compiled = new Map<number, FittedProgram>();
  private known: readonly RepetitionChoice[] | undefined;
  private least: { readonly bytes: number; readonly program: Program; readonly slices: number };

  constructor(
    private readonly forward: Graph,
    private readonly options: ProgramOptions,
    private readonly budget: MemoryBudget,
  ) {
    const { program } = this.compile(0);
    this.least = { bytes: Infinity, program, slices: 1 };
  }

  run(): FittedProgram {
    const plain = this.compile(0);
    if (!plain.lists.train) return plain;
    const best = this.bestWay(normalizesBatches(plain));
    return best ? this.fitted(best) : { ...plain, excess: this.excess() };
  }

  private bestWay(takesFewest: boolean): Way | undefined {
    const { batch, accumulate = 1 } = this.budget;
    const first = Math.min(accumulate, batch);
    let best: Way | undefined;
    for (let slices = first; slices !== undefined; slices = nextSlices(batch, slices)!) {
      const choice = this.leastChoice(slices);
      if (choice === undefined) continue;
      const time = (slices - first) * this.sliceTime() + this.repetitionTime(choice);
      if (!best || time < best.time) best = { slices, choice, time };
      if (takesFewest || choice === 0) break;
    }
    return best;
  }

  /**
   * The first of the choices, of which each saves more than the one before it, that keeps to the
   * budget.
   */
  private leastChoice(slices: number): number | undefined {
    if (this.fits(0, slices)) return 0;
    let [over, within] = [0, this.choices.length - 1];
    if (within === 0 || !this.fits(within, slices)) return undefined;
    while (within - over > 1) {
      const middle = Math.floor((over + within) / 2);
      if (this.fits(middle, slices)) within = middle;
      else over = middle;
    }
    return within;
  }

  private fits(choice: number, slices: number): boolean {
    const { program } = this.compile(choice);
    const bytes = trainingBytes(program, { batch: this.budget.batch, slices });
    if (bytes < this.least.bytes) this.least = { bytes, program, slices };
    return bytes <= this.budget.bytes;
  }

  private get choices(): readonly RepetitionChoice[] {
    const { batch, accumulate = 1 } = this.budget;
    this.known ??= chooseRepeated(
      fusedTraining(this.forward, this.options)!,
      Math.ceil(batch / accumulate),
    );
    return this.known;
  }

  private compile(choice: number): FittedProgram {
    const known = this.compiled.get(choice);
    if (known) return known;
    const again = choice === 0 ? undefined : this.choices[choice]!.again;
    const made = compileGraph(this.forward, { ...this.options, again });
    this.compiled.set(choice, made);
    return made;
  }

  /**
   * Of one slice more, in multiply-adds: weights are read forward and backward, and they and what
   * the optimizer keeps are updated.
   */
  private sliceTime(): number {
    const { program } = this.compile(0);
    const lasting = bytesFor(program, ["parameter", "state"], 1);
    return MACS_PER_BYTE * 2 * lasting;
  }

  private repetitionTime(choice: number): number {
    return choice === 0 ? 0 : this.budget.batch * timeOf(this.choices[choice]!.cost);
  }

  private fitted({ slices, choice }: Way): FittedProgram {
    const { batch } = this.budget;
    const compiled = this.compile(choice);
    const slice = Math.ceil(batch / slices);
    const program = { ...compiled.program, slice };
    const repeated = choice === 0 ? [] : repeatedIn(compiled, this.choices[choice]!);
    const macs = (of: FittedProgram) =>
      stepsFor(of.program.steps.train, slice).reduce((sum, step) => sum + step.macs, 0);
    const bytes = trainingBytes(program, { batch, slices });
    const work = macs(compiled) / macs(this.compile(0));
    return { ...compiled, program, fit: { batch, slices, bytes, repeated, work } };
  }

  private excess(): BudgetExcess {
    const { bytes, program, slices } = this.least;
    const slice = Math.ceil(this.budget.batch / slices);
    const weights = bytesFor(program, ["parameter"], slice);
    const optimizer = bytesFor(program, ["state"], slice);
    return { least: bytes, weights, optimizer, values: bytes - weights - optimizer };
  }
}

/** The next count of slices that makes them smaller; undefined where each is an image. */
function nextSlices(batch: number, slices: number): number | undefined {
  const slice = Math.ceil(batch / slices);
  return slice === 1 ? undefined : Math.ceil(batch / (slice - 1));
}

const normalizesBatches = ({ lists }: FittedProgram) =>
  lists.train!.plan.graph.nodes.some(({ kind }) => kind === "channelStatistics");

/** Bytes of the buffers of these purposes that training binds. */
function bytesFor(
  { buffers, steps }: Program,
  purposes: readonly ProgramBuffer["purpose"][],
  batch: number,
): number {
  const bound = new Set([...steps.train, ...steps.update].flatMap((step) => step.buffers));
  return [...bound]
    .map((index) => buffers[index]!)
    .filter(({ purpose }) => purposes.includes(purpose))
    .reduce((sum, { bytes: { fixed, perImage } }) => sum + fixed + perImage * batch, 0);
}

/** Values that a program's training computes twice, with the cost of the second time. */
function repeatedIn({ lists }: FittedProgram, { again }: RepetitionChoice): RepeatedValue[] {
  const { nodes, steps } = lists.train!;
  return nodes
    .filter(({ node }) => again.has(node.outputs[0]?.id ?? -1))
    .map(({ node: { origin }, first, end }) => {
      const macs = steps.slice(first, end).reduce((sum, step) => sum + step.macs, 0);
      return { name: origin.name, line: origin.span.start.line, macs };
    });
}
