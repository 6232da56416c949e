/**
 * The running statistics of batch normalization for the mean of weights: `update_bn` of PyTorch
 * (torch.optim.swa_utils).
 */
import type { MeasuredStatistics } from "../../program/program.js";
import type { TrainRecipe } from "../../program/recipe.js";
import type { Dataset } from "../data/dataset.js";
import { DataError } from "../data/error.js";
import type { InspectableRun, InspectionParts } from "../inspection.js";
import { intervalsAt } from "../measured.js";
import type { Exchange } from "./exchange.js";
import { assertInspects, assertMeasures, type TrainableNetwork } from "./network.js";
import { MeanMoments, poolMoments, type PartMoments } from "./mean-moments.js";
import { startReading, write, type Range } from "./ranges.js";
import { assertSource, isDataset, type BatchSource, type TrainingBatch } from "./source.js";
import { batchesOfEpoch } from "./steps.js";
import { untilAborted } from "./until-aborted.js";

/** Options of `measureStatistics`. */
export interface MeasureOptions {
  /** Ends the pass; the statistics are then those of before. */
  readonly signal?: AbortSignal | undefined;
  /** The ranks that divide each batch among them. */
  readonly exchange?: Exchange | undefined;
  /** Batches of an epoch, of batches that come ready made; all of a pass unless given. */
  readonly stepsPerEpoch?: number | undefined;
}

/** A pass of `measureStatistics`. */
export interface StatisticsPass {
  /** That the statistics are means over. */
  readonly batches: number;
}

/** What a visitor has seen of a network, where its averages are. */
type OnDevice = Pick<InspectionParts, "gpu" | "memory" | "program">;

/**
 * Measures the running statistics of batch normalization for the averaged weights of a recipe with
 * `swa`: their mean over the batches of the first epoch, or over the first `batches` of them, each
 * batch counting the same. Batches run forward as in training, with averaged weights; weights, what
 * the optimizer keeps and the count of steps stay as they are, so a run continues as it would have.
 * Undefined where nothing is to be measured: without `swa`, before its first interval has ended,
 * without a `batchnorm` that measures batches, or where the signal ended the pass.
 */
export async function measureStatistics(
  network: TrainableNetwork,
  dataset: Dataset | BatchSource,
  recipe: TrainRecipe,
  options: MeasureOptions = {},
): Promise<StatisticsPass | undefined> {
  assertMeasures(network, "measureStatistics");
  assertSource(dataset, "what is measured on");
  const intervals = intervalsAt(network.program, network.stepCount ?? 0);
  if (intervals === 0) return undefined;
  assertInspects(network, "measureStatistics");
  return new Pass(network, recipe, options).over(dataset, intervals);
}

class Pass {
  private readonly mean: MeanMoments;
  private readonly measured: MeasuredStatistics;
  private batches = 0;
  private device: OnDevice | undefined;

  constructor(
    private readonly network: TrainableNetwork,
    private readonly recipe: TrainRecipe,
    private readonly options: MeasureOptions,
  ) {
    this.measured = network.program.measured!;
    this.mean = new MeanMoments(this.measured.layers);
  }

  async over(
    dataset: Dataset | BatchSource,
    intervals: number,
  ): Promise<StatisticsPass | undefined> {
    const { network, recipe } = this;
    const { signal, exchange, stepsPerEpoch = Infinity } = this.options;
    const most = batchesIn(recipe, stepsPerEpoch);
    const pass = { epoch: 0, start: 0, most, part: exchange?.part };
    const batches = batchesOfEpoch(network, dataset, recipe, pass);
    // Ranks stop where they meet.
    for await (const batch of untilAborted(batches, exchange ? undefined : signal)) {
      const parts = await (exchange
        ? this.shared(batch, exchange, isDataset(dataset) ? dataset : {})
        : this.partsOf(batch, { first: 0, images: batch.count }));
      if (exchange?.isStopping) return undefined;
      this.mean.add(parts);
      if (++this.batches >= most) break;
    }
    if (!exchange && signal?.aborted) return undefined;
    if (!this.device) throw nothingMeasured(exchange);
    this.write(this.device, intervals);
    return { batches: this.batches };
  }

  /** What all ranks have of a batch, in their order. */
  private async shared(
    batch: TrainingBatch,
    exchange: Exchange,
    data: Parameters<Exchange["counts"]>[1],
  ): Promise<readonly PartMoments[]> {
    const { layers } = this.measured;
    const counts = await exchange.counts(batch, data);
    const images = counts.reduce((sum, count) => sum + count, 0);
    const first = counts.slice(0, exchange.rank).reduce((sum, count) => sum + count, 0);
    const own = batch.count > 0 ? await this.partsOf(batch, { first, images }) : [];
    const values = await exchange.gather(Float32Array.from(poolMoments(own, layers)));
    return values.map((each, rank) => ({ count: counts[rank]!, values: each }));
  }

  private get ranges(): readonly Range[] {
    return this.measured.layers.flatMap(({ buffers, words }) =>
      buffers.map((buffer) => ({ buffer, offset: 0, bytes: 4 * words })),
    );
  }

  /** The moments of a batch, slice by slice. */
  private partsOf(
    { images, targets, position }: TrainingBatch,
    place: { readonly first: number; readonly images: number },
  ): Promise<readonly PartMoments[]> {
    const { network, recipe } = this;
    const size = this.options.exchange?.part.size ?? 1;
    const accumulate = recipe.accumulate && Math.ceil(recipe.accumulate / size);
    // Dropout is keyed by the batch: a pass is the same whenever it is made.
    const frame = { step: position, ...place };
    const visit = (runs: readonly InspectableRun[]) => this.run(runs);
    return network.inspectCall!("statistics", { images, targets, accumulate, frame }, visit);
  }

  private async run(runs: readonly InspectableRun[]): Promise<readonly PartMoments[]> {
    const parts: PartMoments[] = [];
    for (const run of runs) {
      const begun = await run.begin();
      const { gpu, memory, program, schedule, batch } = begun;
      this.device = { gpu, memory, program };
      const { ranges } = this;
      const encoder = gpu.createCommandEncoder({ label: "statistics" });
      // What a diverged run has left must not stay: a kernel multiplies it by 0.
      for (const { buffer } of ranges) encoder.clearBuffer(memory.buffer(buffer));
      schedule.encode(encoder, batch);
      const reading = startReading(begun, encoder, ranges);
      gpu.queue.submit([encoder.finish()]);
      parts.push({ count: run.slice.count, values: await reading() });
    }
    return parts;
  }

  private write({ gpu, memory, program }: OnDevice, intervals: number): void {
    for (const { parameter, values } of this.mean.results()) {
      const buffer = program.parameters[parameter]!.pieces[0]!.average!;
      write({ gpu, memory }, [{ buffer, offset: 0, bytes: 4 * values.length }], values);
    }
    memory.measured = intervals;
  }
}

function nothingMeasured(exchange: Exchange | undefined): DataError {
  const who = exchange ? `${exchange.nameOf(exchange.rank)} has` : "there are";
  return new DataError(
    `${who} no training examples on which \`batchnorm\` could be measured for averaged weights`,
    exchange && "train on fewer ranks",
  );
}

/** Batches of a pass, of which an epoch has this many. */
export function batchesIn({ average }: TrainRecipe, stepsPerEpoch: number): number {
  const most = average?.kind === "swa" ? average.batches : undefined;
  return Math.min(most ?? Infinity, stepsPerEpoch);
}
