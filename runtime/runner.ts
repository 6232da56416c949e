/** Runs a program's step lists: one upload, one encoder, one pass and one submit each. */
import {
  stepsFor,
  summedWords,
  type ListTensors,
  type ListWithTensors,
  type PreparationName,
  type Program,
  type ProgramStep,
  type ProgramTensor,
} from "../program/program.js";
import { BufferUsage } from "./constants.js";
import { frameWords } from "../program/frame.js";
import { packFrame, type Frame } from "./frame.js";
import type { Memory } from "./memory.js";
import type { DeviceBytes } from "./pictures/picture.js";
import { Pipelines, type CompileProgress } from "./pipelines.js";
import { Readback } from "./readback.js";
import { Schedule, type StepListName } from "./schedule.js";

/** What one run is about. */
export interface Work {
  readonly frame: Frame;
  /** By index of the program's tensors. */
  readonly [tensor: number]: Float32Array | Uint32Array;
  /** Bytes and draws, from which the split's preparation makes the images. */
  readonly split?: PreparationName;
  readonly staged?: Uint8Array | DeviceBytes;
  readonly draws?: Uint32Array;
  /** A list that follows in the same submit. */
  readonly after?: StepListName | undefined;
  /**
   * Encodes the list in place of the runner, and submits parts of it. Resolves to an encoder with
   * what is yet to be submitted.
   */
  readonly encode?: (schedule: Schedule, encoder: GPUCommandEncoder) => Promise<GPUCommandEncoder>;
  /**
   * Whether what the list leaves (metrics, or a prediction) is wanted: not after a slice that
   * others follow.
   */
  readonly collects?: boolean | undefined;
}

/** A step list ready to run. */
interface Prepared {
  readonly schedule: Schedule;
  readonly outputs: readonly Output[];
  /** The scratch that the list works in. */
  readonly scratch: readonly GPUBuffer[];
}

/** Where a step list leaves what its caller wants, and the way back. */
interface Output {
  readonly tensor: ProgramTensor;
  readonly buffer: GPUBuffer;
  readonly ring: Readback;
}

/** Results that may be under way at once. */
const RING_SLOTS = 4;

export class Runner {
  private readonly frame: GPUBuffer;
  private readonly pipelines: Pipelines;
  private readonly prepared = new Map<StepListName, Promise<Prepared>>();
  private readonly preparations = new Map<PreparationName, Promise<Schedule>>();
  private readonly rings = new Map<GPUBuffer, Readback>();
  /** Which list used a scratch buffer last. */
  readonly users = new Map<GPUBuffer, StepListName>();

  constructor(
    readonly gpu: GPUDevice,
    readonly program: Program,
    readonly memory: Memory,
    onCompile?: (progress: CompileProgress) => unknown,
  ) {
    this.pipelines = new Pipelines(gpu, onCompile);
    const usage = BufferUsage.uniform | BufferUsage.copyDestination;
    this.frame = memory.createOwn(4 * frameWords(program.classTotals.length), usage, "frame");
  }

  /**
   * Submits a step list; the promise it returns is of the submission, the one inside of the metrics
   * or the padded predictions. The first run of a list compiles and allocates, later ones do
   * neither.
   */
  async run(list: StepListName, work: Work): Promise<{ result: Promise<readonly Float32Array[]> }> {
    const prepared = await this.prepare(list);
    const { schedule, outputs } = prepared;
    const { after } = work;
    const following = after && (await this.prepare(after));
    const preparation = work.split && (await this.preparation(work.split));
    const collected = work.collects ? outputs : [];
    const slots = await Promise.all(collected.map(({ ring }) => ring.acquire()));
    this.upload(list, work);
    const { gpu } = this;
    const { frame } = work;
    let encoder = gpu.createCommandEncoder({ label: list });
    this.clearAfterOthers(list, prepared, encoder);
    preparation?.encode(encoder, frame.batch);
    if (work.encode) encoder = await work.encode(schedule, encoder);
    else schedule.encode(encoder, frame.batch);
    if (following) {
      this.clearAfterOthers(after, following, encoder);
      following.schedule.encode(encoder, frame.batch);
    }
    const floats = (tensor: ProgramTensor) => this.lengthOf(tensor, list, frame.batch);
    collected.forEach(({ tensor, buffer }, index) =>
      encoder.copyBufferToBuffer(buffer, 0, slots[index]!.buffer, 0, floats(tensor) * 4),
    );
    gpu.queue.submit([encoder.finish()]);
    const read = collected.map(({ tensor, ring }, index) =>
      ring.collect(slots[index]!, floats(tensor)),
    );
    const result = Promise.all(read);
    // The caller may fail before it waits for the result.
    result.catch(() => undefined);
    return { result };
  }

  /**
   * Lists find zeros where they have left zeros (the halos of activations), so what another list
   * has left in between must go.
   */
  private clearAfterOthers(
    list: StepListName,
    { scratch }: Prepared,
    encoder: GPUCommandEncoder,
  ): void {
    for (const buffer of scratch) {
      const user = this.users.get(buffer);
      if (user === list) continue;
      if (user !== undefined) encoder.clearBuffer(buffer);
      this.users.set(buffer, list);
    }
  }

  prepare(list: StepListName): Promise<Prepared> {
    let prepared = this.prepared.get(list);
    if (prepared === undefined) {
      prepared = this.create(list);
      this.prepared.set(list, prepared);
      // The next call tries again.
      prepared.catch(() => this.prepared.delete(list));
    }
    return prepared;
  }

  private async create(list: StepListName): Promise<Prepared> {
    const { program, memory } = this;
    const { reads, gives } = this.tensorsOf(list);
    await memory.allocate([...reads, ...gives].map((index) => program.tensors[index]!.buffer));
    const schedule = await this.build(list, program.steps[list]!);
    const outputs: Output[] = [];
    for (const index of gives) {
      const tensor = program.tensors[index]!;
      const buffer = memory.buffer(tensor.buffer);
      outputs.push({ tensor, buffer, ring: await this.ring(buffer, tensor.role) });
    }
    return { schedule, scratch: this.scratchOf(list), outputs };
  }

  private scratchOf(list: StepListName): readonly GPUBuffer[] {
    const bound = stepsFor(this.program.steps[list]!, this.memory.batch).flatMap(
      (step) => step.buffers,
    );
    return [...new Set(bound)]
      .filter((index) => this.program.buffers[index]!.purpose === "scratch")
      .map((index) => this.memory.buffer(index));
  }

  preparation(split: PreparationName): Promise<Schedule> {
    let preparation = this.preparations.get(split);
    if (preparation === undefined) {
      const { steps } = this.program.preparations![split]!;
      preparation = this.build(`${split} preparation`, steps);
      this.preparations.set(split, preparation);
      preparation.catch(() => this.preparations.delete(split));
    }
    return preparation;
  }

  private async build(label: string, steps: readonly ProgramStep[]): Promise<Schedule> {
    const { gpu, program, memory } = this;
    await memory.allocate(stepsFor(steps, memory.batch).flatMap((step) => step.buffers));
    const [frame, pipelines] = [this.frame, this.pipelines];
    return Schedule.build({ gpu, program, label, steps, memory, frame, pipelines });
  }

  /** Step lists with the same output share its ring. */
  private async ring(buffer: GPUBuffer, label: string): Promise<Readback> {
    const ring =
      this.rings.get(buffer) ??
      (await Readback.create(this.memory, buffer.size, RING_SLOTS, label));
    this.rings.set(buffer, ring);
    return ring;
  }

  upload(list: StepListName, work: Work): void {
    const { frame, split, staged, draws } = work;
    this.gpu.queue.writeBuffer(this.frame, 0, packFrame(frame));
    const preparation = split && this.program.preparations![split]!;
    if (preparation && staged && draws) {
      this.write(preparation.staged.buffer, staged);
      this.write(preparation.draws.buffer, draws);
    }
    for (const index of this.tensorsOf(list).reads) {
      const values = work[index];
      if (values) this.write(this.program.tensors[index]!.buffer, values);
    }
  }

  private write(index: number, values: ArrayBufferView | DeviceBytes): void {
    const target = this.memory.buffer(index);
    if ("copyTo" in values) return values.copyTo(target);
    const { buffer, byteOffset, byteLength } = values;
    this.gpu.queue.writeBuffer(target, 0, buffer, byteOffset, byteLength);
  }

  private lengthOf({ pitch }: ProgramTensor, list: StepListName, batch: number): number {
    if (pitch !== undefined) return batch * pitch;
    const { sums } = this.program;
    return summedWords((sums[list as "train"] ?? sums.train).length);
  }

  private tensorsOf(list: StepListName): ListTensors {
    const { uses } = this.program;
    return list in uses ? uses[list as ListWithTensors] : { reads: [], gives: [] };
  }
}
