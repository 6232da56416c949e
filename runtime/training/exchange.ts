/** The steps and evaluations of a run that several ranks do together. */
import type { Program } from "../../program/program.js";
import type { SharedStep } from "../calls.js";
import type { Dataset } from "../data/dataset.js";
import { murmur3 } from "../checksum.js";
import { InputError } from "../errors.js";
import { checkTargets, type ComparingProgram } from "../examples.js";
import { totalsOf, type Measurement } from "../measurement.js";
import type { Collective } from "./collective.js";
import { RunFailedError } from "./error.js";
import type { TrainableNetwork } from "./network.js";
import { Ranks } from "./ranks.js";
import { SharedStepRun } from "./shared-step.js";
import type { TrainingBatch } from "./source.js";
import { wireOf, type Wire, type WireKind } from "./wire.js";

/** What all ranks agreed on before a step. */
export interface Agreement {
  /** This rank's part of the step; undefined where no rank has an example. */
  readonly share: SharedStep | undefined;
  /** Whether a checkpoint follows the step, by rank 0's clock. */
  readonly isDue: boolean;
}

/** What a dataset says of examples that it could not read; nothing where it reads all. */
export type SkippingData = Pick<Dataset, "newlySkipped" | "noteSkipped">;

interface StepContent {
  readonly count: number;
  readonly totals: readonly number[];
  readonly isDue: boolean;
}

export interface ExchangeOptions {
  readonly signal?: AbortSignal | undefined;
  /** In how many slices a rank's part of a batch comes. */
  readonly slices: number;
  readonly wire?: WireKind | undefined;
}

export class Exchange extends Ranks {
  private readonly wire: Wire;
  /** The step under way. */
  private run: SharedStepRun | undefined;

  /** Throws InputError where the network's program cannot exchange what it sums up. */
  constructor(
    collective: Collective,
    private readonly network: TrainableNetwork,
    { signal, slices, wire = "f32" }: ExchangeOptions,
  ) {
    super(collective, signal);
    this.wire = wireOf(wire, collective);
    const { steps, turns } = network.program;
    if (turns) {
      throw new InputError(
        "several ranks cannot share a training step that has parts: the recipe has a `step` for " +
          "each of its losses; train it in one process",
      );
    }
    if (!steps || steps.update.length === 0) {
      throw new InputError(
        "`exchange` needs a network that was compiled with the option `exchange: true`",
      );
    }
    if (slices === 1 || !steps.accumulate.some(({ shares }) => shares)) return;
    throw new InputError(
      `\`sync_batchnorm\` needs each rank's part of a batch in one piece, ` +
        `not in ${slices} slices: ` +
        "leave out `accumulate`, take a smaller batch, or train on more ranks",
    );
  }

  /** Before a step: where this rank's examples are among those of all. */
  async agree(batch: TrainingBatch, isDue: boolean, data: SkippingData): Promise<Agreement> {
    const { count } = batch;
    const all = await this.meetAbout<StepContent>(data, {
      count,
      totals: this.totals(batch),
      isDue,
    });
    const images = sumOf(all.map((each) => each.count));
    const first = sumOf(all.slice(0, this.rank).map((each) => each.count));
    const totals = all[0]!.totals.map((_, index) => sumOf(all.map((each) => each.totals[index]!)));
    const run = this.begin(count / images);
    const share = {
      isEmpty: count === 0,
      first,
      images,
      totals,
      run: (...call: Parameters<SharedStep["run"]>) => run.run(...call),
    };
    return { share: images === 0 ? undefined : share, isDue: all[0]!.isDue };
  }

  /** What the classes of this rank's examples weigh, for the program's means. */
  private totals({ count, targets }: TrainingBatch): readonly number[] {
    const { program } = this.network;
    if (!weighsClasses(program)) return [];
    return totalsOf(program, checkTargets(program, targets, { images: count, training: true }));
  }

  /** A measurement of each rank: all of them, in the order of ranks. */
  async measurements(own: Measurement, data: SkippingData): Promise<readonly Measurement[]> {
    const all = await this.meetAbout<Measurement>(data, own);
    // JSON has no NaN and writes null.
    return all.map(({ sums, ...counts }) => ({
      ...counts,
      sums: sums.map((each) => ({ ...each, sum: (each.sum as number | null) ?? NaN })),
    }));
  }

  /** Examples of each rank in a batch, by rank. */
  counts({ count }: Pick<TrainingBatch, "count">, data: SkippingData): Promise<readonly number[]> {
    return this.meetAbout<number>(data, count);
  }

  /** As many numbers of each rank, by rank. */
  async gather(own: Float32Array): Promise<readonly Float32Array[]> {
    // A rank that failed says so here.
    await this.meet(null);
    const { rank, size } = this.part;
    const all = new Float32Array(own.length * size);
    all.set(own, own.length * rank);
    this.isAdding = true;
    await this.collective.allReduce(all);
    this.isAdding = false;
    return Array.from({ length: size }, (_, from) =>
      all.subarray(own.length * from, own.length * (from + 1)),
    );
  }

  /** Throws where the ranks' weights are not the same bits, with the first tensor's name. */
  async compareWeights(): Promise<void> {
    const { network } = this;
    if (!network.read || !network.parameters) return;
    const names = network.parameters.map(({ name }) => name);
    const own: number[] = [];
    for (const name of names) {
      const { buffer, byteOffset, byteLength } = await network.read(name);
      own.push(murmur3(new Uint8Array(buffer, byteOffset, byteLength)));
    }
    const all = await this.meet<readonly number[]>(own);
    for (const [index, name] of names.entries()) {
      const rank = all.findIndex((digests) => digests[index] !== all[0]![index]);
      if (rank < 0) continue;
      throw new RunFailedError(
        `\`${name}\` differs between rank 0 and ${this.nameOf(rank)} after step ${this.step}`,
        "use the same files, adapters and drivers on all hosts; resume from the last checkpoint",
      );
    }
  }

  /** Meets the others, and counts the examples that they could not read. */
  private async meetAbout<Content>(
    data: SkippingData,
    content: Content,
  ): Promise<readonly Content[]> {
    const skipped = data.newlySkipped?.() ?? [];
    const all = await this.meet({ content, skipped });
    const others = all.filter((_, rank) => rank !== this.rank);
    data.noteSkipped?.(others.flatMap((other) => other.skipped));
    return all.map((each) => each.content);
  }

  private begin(weight: number): SharedStepRun {
    const { collective, wire } = this;
    const meet = (content: number | null) => this.meet(content);
    const adding = (isAdding: boolean) => (this.isAdding = isAdding);
    this.run = new SharedStepRun({
      collective,
      wire,
      weight,
      meet,
      adding,
      sumMetrics: (own) => this.sumMetrics(own),
    });
    return this.run;
  }

  protected override async settle(): Promise<void> {
    await this.run?.settle();
  }

  /** A rank whose slices failed says so where ranks meet, and no rank updates. */
  private async sumMetrics(own: Float32Array | undefined): Promise<Float32Array> {
    const all = await this.meet<readonly (number | null)[] | null>(own ? Array.from(own) : null);
    const known = all.filter((metrics) => metrics !== null);
    const sums = new Float32Array(known[0]!.length);
    for (const metrics of known) {
      // JSON has no NaN and writes null.
      for (const [index, value] of metrics.entries()) sums[index]! += value ?? NaN;
    }
    return sums;
  }
}

type WeighingProgram = ComparingProgram & Pick<Program, "classTotals">;

const weighsClasses = (program: Partial<WeighingProgram>): program is WeighingProgram =>
  (program.classTotals?.length ?? 0) > 0;

const sumOf = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0);
