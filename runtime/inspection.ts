/** A step list run one dispatch at a time: what profiles and checks of kernels are made with. */
import type { Program, ProgramStep } from "../program/program.js";
import { BufferUsage } from "./constants.js";
import type { Memory } from "./memory.js";
import { readBuffer } from "./readback.js";
import type { Schedule } from "./schedule.js";
import type { ListRun } from "./slices.js";

/** A step list that is ready to run, with its examples uploaded. */
export interface InspectionParts {
  readonly gpu: GPUDevice;
  readonly program: Program;
  readonly memory: Memory;
  readonly schedule: Schedule;
  /** Images in this step. */
  readonly batch: number;
}

/**
 * A run of a step list within a call. `begin` uploads its images and makes it ready; it holds until
 * another run is begun.
 */
export interface InspectableRun extends ListRun {
  begin(): Promise<InspectionParts>;
}

/** A float in one of the program's buffers. */
export interface FloatPlace {
  readonly buffer: number;
  /** Floats from the buffer's start. */
  readonly offset: number;
}

/**
 * A visitor for `Network.inspect`: lets `visit` run, time and read the list dispatch by dispatch.
 * Weights and what the optimizer keeps are afterwards what they were.
 */
export function inspecting<Result>(
  visit: (inspection: Inspection) => Promise<Result>,
): (parts: InspectionParts) => Promise<Result> {
  return (parts) => {
    const inspection = new Inspection(parts);
    return inspection.preserving(() => visit(inspection));
  };
}

/** The same for a call's runs, `Network.inspectCall`. */
export function inspectingRuns<Result>(
  visit: (runs: readonly InspectedRun[]) => Promise<Result>,
): (runs: readonly InspectableRun[]) => Promise<Result> {
  return async (runs) => {
    const lists = [...new Map(runs.map((run) => [run.list, run])).values()];
    const inspected = runs.map((run) => ({
      ...run,
      begin: async () => new Inspection(await run.begin()),
    }));
    const preserve = lists.reduceRight<() => Promise<Result>>(
      (action, run) => async () => new Inspection(await run.begin()).preserving(action),
      () => visit(inspected),
    );
    return preserve();
  };
}

/** A run of a call, to be run, timed and read dispatch by dispatch once it was begun. */
export type InspectedRun = ListRun & { readonly begin: () => Promise<Inspection> };

/** WebGPU's limit of a query set. */
const MOST_QUERIES = 4096;

/** A step list that runs one dispatch at a time. */
export class Inspection {
  constructor(private readonly parts: InspectionParts) {}

  /** The list's steps, in order. */
  get steps(): readonly ProgramStep[] {
    return this.parts.schedule.steps;
  }

  get batch(): number {
    return this.parts.batch;
  }

  /** Whether `stamp` can be called. */
  get hasTimestamps(): boolean {
    return this.parts.gpu.features.has("timestamp-query");
  }

  /** Submits the steps from `first` up to `end`, each `repeats` times before the next. */
  run(first = 0, end = this.steps.length, repeats = 1): void {
    const { gpu } = this.parts;
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let index = first; index < end; index++) this.repeat(pass, index, repeats);
    pass.end();
    gpu.queue.submit([encoder.finish()]);
  }

  /** Settles when all that was submitted is done. */
  async finished(): Promise<void> {
    await this.parts.gpu.queue.onSubmittedWorkDone();
  }

  /**
   * Milliseconds of each step on the device, all steps run in order, each as often as
   * `repeats` says.
   */
  async stamp(repeats: readonly number[]): Promise<number[]> {
    const milliseconds: number[] = [];
    const most = MOST_QUERIES / 2;
    for (let first = 0; first < this.steps.length; first += most) {
      const part = repeats.slice(first, first + most);
      milliseconds.push(...(await this.stampPart(first, part)));
    }
    return milliseconds;
  }

  /** The first bytes of one of the program's buffers, as floats. */
  read(buffer: number, bytes?: number): Promise<Float32Array<ArrayBuffer>> {
    const { gpu, memory } = this.parts;
    return readBuffer(gpu, memory.buffer(buffer), bytes);
  }

  /** Single floats of the program's buffers. */
  async gather(places: readonly FloatPlace[]): Promise<Float32Array<ArrayBuffer>> {
    const { gpu, memory } = this.parts;
    if (places.length === 0) return new Float32Array();
    const usage = BufferUsage.copySource | BufferUsage.copyDestination;
    const gathered = gpu.createBuffer({ size: 4 * places.length, usage, label: "gathered" });
    const encoder = gpu.createCommandEncoder();
    places.forEach(({ buffer, offset }, index) =>
      encoder.copyBufferToBuffer(memory.buffer(buffer), 4 * offset, gathered, 4 * index, 4),
    );
    gpu.queue.submit([encoder.finish()]);
    try {
      return await readBuffer(gpu, gathered);
    } finally {
      gathered.destroy();
    }
  }

  /**
   * Runs `action` and puts back what the list's steps change of the parameters and of what the
   * optimizer keeps.
   */
  async preserving<Result>(action: () => Promise<Result>): Promise<Result> {
    const { gpu, memory } = this.parts;
    const originals = this.changed().map((index) => memory.buffer(index));
    const usage = BufferUsage.copySource | BufferUsage.copyDestination;
    const copies = originals.map(({ size }) => gpu.createBuffer({ size, usage, label: "kept" }));
    this.copy(originals, copies);
    try {
      return await action();
    } finally {
      this.copy(copies, originals);
      for (const copy of copies) copy.destroy();
    }
  }

  /** Buffers of weights and states that a step may write. */
  private changed(): number[] {
    const { program } = this.parts;
    const written = this.steps.flatMap(({ kernel, buffers }) =>
      buffers.filter((_, place) => {
        return program.kernels[kernel]!.bindings[place]!.access === "read_write";
      }),
    );
    const outlives = (index: number) =>
      ["parameter", "state"].includes(program.buffers[index]!.purpose);
    return [...new Set(written)].filter(outlives);
  }

  private copy(from: readonly GPUBuffer[], to: readonly GPUBuffer[]): void {
    const { gpu } = this.parts;
    const encoder = gpu.createCommandEncoder();
    from.forEach((buffer, index) =>
      encoder.copyBufferToBuffer(buffer, 0, to[index]!, 0, buffer.size),
    );
    gpu.queue.submit([encoder.finish()]);
  }

  private repeat(pass: GPUComputePassEncoder, index: number, repeats: number): void {
    const { schedule, batch } = this.parts;
    for (let repeat = 0; repeat < repeats; repeat++) schedule.encodeOne(pass, index, batch);
  }

  private async stampPart(first: number, repeats: readonly number[]): Promise<number[]> {
    const { gpu } = this.parts;
    const count = 2 * repeats.length;
    const querySet = gpu.createQuerySet({ type: "timestamp", count });
    const usage = BufferUsage.queryResolve | BufferUsage.copySource;
    const resolved = gpu.createBuffer({ size: 8 * count, usage, label: "timestamps" });
    const encoder = gpu.createCommandEncoder();
    repeats.forEach((times, place) => {
      const [beginningOfPassWriteIndex, endOfPassWriteIndex] = [2 * place, 2 * place + 1];
      const timestampWrites = { querySet, beginningOfPassWriteIndex, endOfPassWriteIndex };
      const pass = encoder.beginComputePass({ timestampWrites });
      this.repeat(pass, first + place, times);
      pass.end();
    });
    encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
    gpu.queue.submit([encoder.finish()]);
    const stamps = new BigInt64Array((await readBuffer(gpu, resolved)).buffer);
    resolved.destroy();
    querySet.destroy();
    return repeats.map((_, place) => Number(stamps[2 * place + 1]! - stamps[2 * place]!) / 1e6);
  }
}
