/** One rank's part of a step: what it exchanges with the others, while its lists run and after. */
import {
  stepsFor,
  type Program,
  type ProgramStep,
  type SharedBuffer,
} from "../../program/program.js";
import type { SharedStep } from "../calls.js";
import type { Frame } from "../frame.js";
import type { Loaded } from "../loaded.js";
import type { Work } from "../runner.js";
import type { Schedule, StepListName } from "../schedule.js";
import type { Collective } from "./collective.js";
import { joinMoments } from "./moments.js";
import { startReading, write, type Range } from "./ranges.js";
import { bucketsOf, statisticsOf, type Bucket } from "./sums.js";
import type { Wire } from "./wire.js";

/** Where a list is cut, behind one of its steps, and what ranks then exchange. */
type Cut =
  | { readonly after: number; readonly shares: SharedBuffer }
  | { readonly after: number; readonly bucket: Bucket };

export interface SharedStepParts {
  readonly collective: Collective;
  /** How gradients travel. */
  readonly wire: Wire;
  /** The share that this rank has of the step's examples. */
  readonly weight: number;
  /** Waits for all ranks, and resolves to what each brings. Throws where one has failed. */
  readonly meet: (content: number | null) => Promise<readonly (number | null)[]>;
  /** The sums of all ranks' metrics; undefined for a rank without examples. */
  readonly sumMetrics: (own: Float32Array | undefined) => Promise<Float32Array>;
  /** Told while ranks are in calls in which no rank can say that it failed. */
  readonly adding: (isAdding: boolean) => void;
}

type ListResult = Awaited<ReturnType<SharedStep["run"]>>;

/** A list that is being encoded. */
interface EncodedList {
  readonly loaded: Loaded;
  readonly list: StepListName;
  readonly schedule: Schedule;
  readonly frame: Frame;
}

export class SharedStepRun {
  /** The metrics of this rank's slices; none for a rank without examples. */
  private own: ListResult["result"] | undefined;
  /** What is being exchanged while the list runs, in order. */
  private pending: Promise<void> = Promise.resolve();

  constructor(private readonly parts: SharedStepParts) {}

  /** Runs a list of the step; before an update, ranks have the same sums. */
  async run(loaded: Loaded, list: StepListName, work: Work): Promise<ListResult> {
    const { runner } = loaded;
    if (list !== "update") {
      const encode: Work["encode"] = (schedule, encoder) =>
        this.encode({ loaded, list, schedule, frame: work.frame }, encoder);
      const run = await runner.run(list, { ...work, encode });
      this.own = run.result;
      return run;
    }
    await this.exchangeRest(loaded);
    const result = this.parts.sumMetrics((await this.own)?.[0]).then((sums) => [sums] as const);
    await result;
    await runner.run(list, work);
    return { result };
  }

  /**
   * Encodes a list. Where ranks combine a buffer on the way, the list waits for it; gradients
   * travel while the rest of the list runs.
   */
  private async encode(
    { loaded, list, schedule, frame }: EncodedList,
    begun: GPUCommandEncoder,
  ): Promise<GPUCommandEncoder> {
    const { gpu, program } = loaded;
    let encoder = begun;
    let from = 0;
    const encodeTo = (end: number) => {
      const pass = encoder.beginComputePass();
      for (; from < end; from++) schedule.encodeOne(pass, from, frame.batch);
      pass.end();
    };
    const cuts = list === "accumulate" ? cutsOf(program, schedule.steps) : [];
    for (const cut of cuts) {
      if ("bucket" in cut && !frame.isLast) continue;
      encodeTo(cut.after + 1);
      const ranges = rangesOf(cut);
      const reading = startReading(loaded, encoder, ranges);
      gpu.queue.submit([encoder.finish()]);
      encoder = gpu.createCommandEncoder({ label: list });
      const exchanged = this.afterPending(async () => {
        write(loaded, ranges, await this.combine(cut, await reading()));
      });
      if ("shares" in cut) await exchanged;
    }
    encodeTo(schedule.steps.length);
    return encoder;
  }

  /** What has not been exchanged in the lists; a rank without examples brings nothing. */
  private async exchangeRest(loaded: Loaded): Promise<void> {
    const { gpu, program, memory } = loaded;
    if (this.own === undefined) await this.bringNothing(loaded);
    await this.pending;
    const statistics = statisticsOf(program);
    if (statistics.length === 0) return;
    await memory.allocate(statistics.map(bufferOf));
    const encoder = gpu.createCommandEncoder();
    const reading = startReading(loaded, encoder, statistics);
    gpu.queue.submit([encoder.finish()]);
    const values = await reading();
    const { weight } = this.parts;
    // What is left of an earlier step must not count, not even as NaN.
    values.forEach((value, index) => (values[index] = weight === 0 ? 0 : weight * value));
    await this.parts.meet(null);
    await this.inCalls(() => this.parts.collective.allReduce(values));
    write(loaded, statistics, values);
  }

  /** Waits until nothing is under way: an error of this rank must not come between. */
  async settle(): Promise<void> {
    await this.pending.catch(() => undefined);
  }

  private async bringNothing({ program, memory, gpu }: Loaded): Promise<void> {
    const steps = stepsFor(program.steps.accumulate, memory.batch);
    await memory.allocate(bucketsOf(program, steps).flatMap(({ ranges }) => ranges.map(bufferOf)));
    for (const cut of cutsOf(program, steps)) {
      const ranges = rangesOf(cut);
      const nothing = new Float32Array(ranges.reduce((sum, { bytes }) => sum + bytes / 4, 0));
      const combined = await this.combine(cut, nothing);
      if ("bucket" in cut) write({ gpu, memory }, ranges, combined);
    }
  }

  /** One exchange after the other, in the same order on all ranks. */
  private afterPending(exchange: () => Promise<void>): Promise<void> {
    this.pending = this.pending.then(exchange);
    // The error is thrown where the step ends.
    this.pending.catch(() => undefined);
    return this.pending;
  }

  private async combine(cut: Cut, values: Float32Array): Promise<Float32Array> {
    const { collective, wire } = this.parts;
    if ("bucket" in cut) {
      const peaks = await this.parts.meet(wire.peakOf(cut.bucket, values));
      await this.inCalls(() => wire.add(cut.bucket, values, peaks));
      return values;
    }
    await this.parts.meet(null);
    if (cut.shares.as === "sums") {
      await this.inCalls(() => collective.allReduce(values));
      return values;
    }
    const { words } = cut.shares;
    const all = new Float32Array(words * collective.size);
    all.set(values, words * collective.rank);
    await this.inCalls(() => collective.allReduce(all));
    return joinMoments(all, words);
  }

  private async inCalls(call: () => Promise<void>): Promise<void> {
    this.parts.adding(true);
    await call();
    this.parts.adding(false);
  }
}

const known = new WeakMap<readonly ProgramStep[], readonly Cut[]>();

/** In the order of the list, which is that of the ranks' exchanges. */
function cutsOf(program: Program, steps: readonly ProgramStep[]): readonly Cut[] {
  const cuts = known.get(steps) ?? findCuts(program, steps);
  known.set(steps, cuts);
  return cuts;
}

function findCuts(program: Program, steps: readonly ProgramStep[]): readonly Cut[] {
  const buckets = bucketsOf(program, steps).map((bucket) => ({ after: bucket.after, bucket }));
  const shared = steps.flatMap(({ shares }, after) => (shares ? [{ after, shares }] : []));
  return [...shared, ...buckets].sort((one, other) => one.after - other.after);
}

const rangesOf = (cut: Cut): readonly Range[] =>
  "bucket" in cut
    ? cut.bucket.ranges
    : [{ buffer: cut.shares.buffer, offset: 0, bytes: 4 * cut.shares.words }];

const bufferOf = ({ buffer }: Range): number => buffer;
