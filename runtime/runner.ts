/** Runs a program's step lists: one upload, one encoder, one pass and one submit each. */
import {
  stepsFor,
  summedWords,
  type Program,
  type ProgramStep,
  type SplitName,
} from "../program/program.js";
import { BufferUsage } from "./constants.js";
import { InputError } from "./errors.js";
import { frameWords } from "../program/frame.js";
import { packFrame, type Frame } from "./frame.js";
import type { InspectionParts } from "./inspection.js";
import type { Memory } from "./memory.js";
import { Pipelines, type CompileProgress } from "./pipelines.js";
import { Readback } from "./readback.js";
import { Schedule, type StepListName } from "./schedule.js";

/** What one run is about. */
export interface Work {
  readonly frame: Frame;
  readonly images?: Float32Array;
  /** Bytes and draws, from which the split's preparation makes the images. */
  readonly split?: SplitName;
  readonly staged?: Uint8Array;
  readonly draws?: Uint32Array;
  readonly labels?: Uint32Array | Float32Array;
  readonly partners?: Uint32Array;
  readonly shares?: Float32Array;
  /** A list that follows in the same submit. */
  readonly after?: StepListName | undefined;
  /** Whether what the list leaves (metrics, or a prediction) is wanted: not after a slice that others follow. */
  readonly collects: boolean;
}

/** A step list ready to run. */
interface Prepared {
  readonly schedule: Schedule;
  readonly output?: Output;
  /** The scratch that the list works in. */
  readonly scratch: readonly GPUBuffer[];
}

/** Where a step list leaves what its caller wants, and the way back. */
interface Output {
  readonly buffer: GPUBuffer;
  readonly ring: Readback;
}

/** Results that may be under way at once. */
const RING_SLOTS = 4;

export class Runner {
  readonly #frame: GPUBuffer;
  readonly #pipelines: Pipelines;
  readonly #prepared = new Map<StepListName, Promise<Prepared>>();
  readonly #preparations = new Map<SplitName, Promise<Schedule>>();
  readonly #rings = new Map<GPUBuffer, Readback>();
  /** Which list used a scratch buffer last. */
  readonly #users = new Map<GPUBuffer, StepListName>();

  constructor(
    private readonly gpu: GPUDevice,
    private readonly program: Program,
    private readonly memory: Memory,
    onCompile?: (progress: CompileProgress) => unknown,
  ) {
    this.#pipelines = new Pipelines(gpu, onCompile);
    const usage = BufferUsage.uniform | BufferUsage.copyDestination;
    this.#frame = memory.createOwn(4 * frameWords(program.classTotals.length), usage, "frame");
  }

  /**
   * Submits a step list; the promise it returns is of the submission, the one inside of the metrics or the padded
   * prediction. The first run of a list compiles and allocates, later ones do neither.
   */
  async run(list: StepListName, work: Work): Promise<{ result: Promise<Float32Array> }> {
    const prepared = await this.#prepare(list);
    const { schedule, output } = prepared;
    const { after } = work;
    const following = after && (await this.#prepare(after));
    const preparation = work.split && (await this.#preparation(work.split));
    const slot = work.collects ? await output?.ring.acquire() : undefined;
    this.#upload(list, work);
    const encoder = this.gpu.createCommandEncoder({ label: list });
    this.#clearAfterOthers(list, prepared, encoder);
    preparation?.encode(encoder, work.frame.batch);
    schedule.encode(encoder, work.frame.batch);
    if (following) {
      this.#clearAfterOthers(after, following, encoder);
      following.schedule.encode(encoder, work.frame.batch);
    }
    const floats = this.#outputLength(list, work.frame.batch);
    if (output && slot) encoder.copyBufferToBuffer(output.buffer, 0, slot.buffer, 0, floats * 4);
    this.gpu.queue.submit([encoder.finish()]);
    const nothing = Promise.resolve(new Float32Array());
    return { result: output && slot ? output.ring.collect(slot, floats) : nothing };
  }

  /** Makes a step list ready to be run one dispatch at a time, on examples that it uploads. */
  async inspect(list: StepListName, work: Work): Promise<InspectionParts> {
    const { gpu, program, memory } = this;
    const prepared = await this.#prepare(list);
    const { schedule, scratch } = prepared;
    const preparation = work.split && (await this.#preparation(work.split));
    this.#upload(list, work);
    const encoder = gpu.createCommandEncoder({ label: list });
    // Numbers that an earlier run left must not be taken for what the list computes.
    for (const buffer of scratch) {
      encoder.clearBuffer(buffer);
      this.#users.set(buffer, list);
    }
    preparation?.encode(encoder, work.frame.batch);
    gpu.queue.submit([encoder.finish()]);
    return { gpu, program, memory, schedule, batch: work.frame.batch };
  }

  /** Lists find zeros where they have left zeros (the halos of activations), so what another list has left in between must go. */
  #clearAfterOthers(list: StepListName, { scratch }: Prepared, encoder: GPUCommandEncoder): void {
    for (const buffer of scratch) {
      const user = this.#users.get(buffer);
      if (user === list) continue;
      if (user !== undefined) encoder.clearBuffer(buffer);
      this.#users.set(buffer, list);
    }
  }

  #prepare(list: StepListName): Promise<Prepared> {
    let prepared = this.#prepared.get(list);
    if (prepared === undefined) {
      prepared = this.#create(list);
      this.#prepared.set(list, prepared);
      // The next call tries again.
      prepared.catch(() => this.#prepared.delete(list));
    }
    return prepared;
  }

  async #create(list: StepListName): Promise<Prepared> {
    const { program, memory } = this;
    const purposes = USED_PURPOSES[list];
    await memory.allocate(
      purposes.filter((purpose) => this.#uses(purpose)).map((purpose) => this.#find(purpose)),
    );
    const schedule = await this.#build(list, program.steps[list]);
    const result = purposes.find((purpose) => purpose === "metrics" || purpose === "prediction");
    const scratch = this.#scratchOf(list);
    if (result === undefined) return { schedule, scratch };
    const buffer = memory.buffer(this.#find(result));
    return { schedule, scratch, output: { buffer, ring: this.#ring(buffer, result) } };
  }

  #scratchOf(list: StepListName): readonly GPUBuffer[] {
    const bound = stepsFor(this.program.steps[list], this.memory.batch).flatMap(
      (step) => step.buffers,
    );
    return [...new Set(bound)]
      .filter((index) => this.program.buffers[index]!.purpose === "scratch")
      .map((index) => this.memory.buffer(index));
  }

  #preparation(split: SplitName): Promise<Schedule> {
    let preparation = this.#preparations.get(split);
    if (preparation === undefined) {
      const { steps } = this.program.preparations![split]!;
      preparation = this.#build(`${split} preparation`, steps);
      this.#preparations.set(split, preparation);
      preparation.catch(() => this.#preparations.delete(split));
    }
    return preparation;
  }

  async #build(label: string, steps: readonly ProgramStep[]): Promise<Schedule> {
    const { gpu, program, memory } = this;
    await memory.allocate(stepsFor(steps, memory.batch).flatMap((step) => step.buffers));
    const [frame, pipelines] = [this.#frame, this.#pipelines];
    return Schedule.build({ gpu, program, label, steps, memory, frame, pipelines });
  }

  /** Step lists with the same output share its ring. */
  #ring(buffer: GPUBuffer, label: string): Readback {
    const ring =
      this.#rings.get(buffer) ?? new Readback(this.memory, buffer.size, RING_SLOTS, label);
    this.#rings.set(buffer, ring);
    return ring;
  }

  #upload(list: StepListName, { frame, split, staged, draws, ...examples }: Work): void {
    this.gpu.queue.writeBuffer(this.#frame, 0, packFrame(frame));
    const preparation = split && this.program.preparations![split]!;
    if (preparation && staged && draws) {
      this.#write(preparation.staged.buffer, staged);
      this.#write(preparation.draws.buffer, draws);
    }
    for (const purpose of UPLOADED) {
      const values = examples[purpose];
      if (values && USED_PURPOSES[list].includes(purpose)) this.#uploadTo(purpose, values);
    }
  }

  #uploadTo(purpose: Purpose, values: Float32Array | Uint32Array): void {
    this.#write(this.#find(purpose), values);
  }

  #write(index: number, { buffer, byteOffset, byteLength }: ArrayBufferView): void {
    this.gpu.queue.writeBuffer(this.memory.buffer(index), 0, buffer, byteOffset, byteLength);
  }

  #outputLength(list: StepListName, batch: number): number {
    const { sums, prediction } = this.program;
    if (list === "predict") return batch * prediction.pitch;
    return summedWords(sums[list === "evaluate" ? "evaluate" : "train"].length);
  }

  /** A loss of the images themselves takes no labels, and only mixed images have partners. */
  #uses(purpose: Purpose): boolean {
    return (
      !OPTIONAL.includes(purpose) ||
      this.program.buffers.some((buffer) => buffer.purpose === purpose)
    );
  }

  #find(purpose: Purpose): number {
    const index = this.program.buffers.findIndex((buffer) => buffer.purpose === purpose);
    if (index < 0) throw new InputError(`model \`${this.program.model}\` has no ${purpose}`);
    return index;
  }
}

/** What comes with the examples. */
const UPLOADED = ["images", "labels", "partners", "shares"] as const;

/** Which of it depends on the model and its data. */
const OPTIONAL: readonly Purpose[] = ["labels", "partners", "shares"];

type Purpose = (typeof UPLOADED)[number] | "metrics" | "prediction";

/** The buffers through which each step list meets the outside. */
const USED_PURPOSES: Readonly<Record<StepListName, readonly Purpose[]>> = {
  initialize: [],
  train: [...UPLOADED, "metrics"],
  accumulate: [...UPLOADED, "metrics"],
  update: [],
  average: [],
  fold: [],
  evaluate: ["images", "labels", "metrics"],
  predict: ["images", "prediction"],
};
