/**
 * Training within a budget of memory: by slices of the batch, by computing values again instead of
 * keeping them, or both.
 */
import { trainingBytes } from "../program/planned-memory.js";
import { stepsFor, type Program, type ProgramBuffer } from "../program/program.js";
import type { Graph } from "./ir/graph.js";
import {
  chooseRepeated,
  MACS_PER_BYTE,
  timeOf,
  type RepetitionChoice,
} from "./passes/choose-repeated.js";
import { fusedTraining } from "./passes/step-graphs.js";
import { traceProgram, type ProgramOptions } from "./program.js";
import type { BudgetExcess, RepeatedValue, TracedProgram } from "./trace.js";

export interface MemoryBudget {
  /** Of training: weights, what the optimizer keeps, and the values of a step. */
  readonly bytes: number;
  /** Images a step. */
  readonly batch: number;
  /** Slices that the batch comes in anyway; 1 unless given. */
  readonly accumulate?: number | undefined;
}

/**
 * The program with which a training step keeps to the budget in the least time; where none does,
 * the plain one, with what it takes at least (`excess`). Slices repeat no arithmetic, but read and
 * update the weights once more each; a repetition takes the time of its kernel. With batch
 * normalization, whose statistics slices would change, there are no more slices than must be.
 */
export function traceWithin(
  forward: Graph,
  options: ProgramOptions,
  budget: MemoryBudget,
): TracedProgram {
  return new BudgetSearch(forward, options, budget).run();
}

/** A way to keep to the budget: so many slices, and that choice of repetitions. */
interface Way {
  readonly slices: number;
  readonly choice: number;
  readonly time: number;
}

class BudgetSearch {
  private readonly traces = new Map<number, TracedProgram>();
  private known: readonly RepetitionChoice[] | undefined;
  private least: { readonly bytes: number; readonly program: Program; readonly slices: number };

  constructor(
    private readonly forward: Graph,
    private readonly options: ProgramOptions,
    private readonly budget: MemoryBudget,
  ) {
    const { program } = this.trace(0);
    this.least = { bytes: Infinity, program, slices: 1 };
  }

  run(): TracedProgram {
    const plain = this.trace(0);
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
    const { program } = this.trace(choice);
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

  private trace(choice: number): TracedProgram {
    const known = this.traces.get(choice);
    if (known) return known;
    const again = choice === 0 ? undefined : this.choices[choice]!.again;
    const made = traceProgram(this.forward, { ...this.options, ...(again && { again }) });
    this.traces.set(choice, made);
    return made;
  }

  /**
   * Of one slice more, in multiply-adds: weights are read forward and backward, and they and what
   * the optimizer keeps are updated.
   */
  private sliceTime(): number {
    const { program } = this.trace(0);
    const lasting = bytesFor(program, ["parameter", "state"], 1);
    return MACS_PER_BYTE * 2 * lasting;
  }

  private repetitionTime(choice: number): number {
    return choice === 0 ? 0 : this.budget.batch * timeOf(this.choices[choice]!.cost);
  }

  private fitted({ slices, choice }: Way): TracedProgram {
    const { batch } = this.budget;
    const trace = this.trace(choice);
    const slice = Math.ceil(batch / slices);
    const program = { ...trace.program, slice };
    const repeated = choice === 0 ? [] : repeatedIn(trace, this.choices[choice]!);
    const macs = (of: TracedProgram) =>
      stepsFor(of.program.steps.train, slice).reduce((sum, step) => sum + step.macs, 0);
    const bytes = trainingBytes(program, { batch, slices });
    const work = macs(trace) / macs(this.trace(0));
    return { ...trace, program, fit: { batch, slices, bytes, repeated, work } };
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

const normalizesBatches = ({ lists }: TracedProgram) =>
  lists.train!.graph.nodes.some(({ kind }) => kind === "channelStatistics");

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

/** What stands twice in a program's training, with what its second time takes. */
function repeatedIn({ lists }: TracedProgram, { again }: RepetitionChoice): RepeatedValue[] {
  const { nodes, steps } = lists.train!;
  return nodes
    .filter(({ node }) => again.has(node.outputs[0]?.id ?? -1))
    .map(({ node: { origin }, first, end }) => {
      const macs = steps.slice(first, end).reduce((sum, step) => sum + step.macs, 0);
      return { name: origin.name, line: origin.span.start.line, macs };
    });
}
