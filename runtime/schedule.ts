/** A step list made ready to run: pipelines, constants and bind groups, all built once. */
import {
  stepsFor,
  type Program,
  type ProgramStep,
  type WorkgroupCount,
} from "../program/program.js";
import { BufferUsage } from "./constants.js";
import { DeviceLimitError } from "./errors.js";
import type { Memory } from "./memory.js";
import type { Pipelines } from "./pipelines.js";

export type StepListName = keyof Program["steps"];

export interface ScheduleParts {
  readonly gpu: GPUDevice;
  readonly program: Program;
  /** What the steps are, for messages. */
  readonly label: string;
  readonly steps: readonly ProgramStep[];
  /** The uniform buffer of the frame. */
  readonly frame: GPUBuffer;
  /** Holds all buffers of the steps already. */
  readonly memory: Memory;
  readonly pipelines: Pipelines;
}

interface Dispatch {
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly workgroups: ProgramStep["workgroups"];
}

export class Schedule {
  private constructor(
    /** Those of the list's steps that are for networks of this batch, a dispatch each. */
    readonly steps: readonly ProgramStep[],
    private readonly dispatches: readonly Dispatch[],
    private readonly maximumWorkgroups: number,
  ) {}

  /** Compiles the kernels of the steps and binds its buffers. */
  static async build(parts: ScheduleParts): Promise<Schedule> {
    const { gpu, program, label: list, frame, memory } = parts;
    const steps = stepsFor(parts.steps, memory.batch);
    assertPlanes(steps, gpu.limits);
    const kernels = steps.map((step) => program.kernels[step.kernel]!);
    const compiled = await parts.pipelines.compile(kernels);
    const constants = writeConstants(gpu, memory, steps, `${list} constants`);
    const dispatches = steps.map(({ buffers, label, workgroups }, index) => {
      const { pipeline, layout } = compiled[index]!;
      const storage = buffers.map((buffer) => ({ buffer: memory.buffer(buffer) }));
      const resources = [{ buffer: frame }, constants[index]!, ...storage];
      const entries = resources.map((resource, binding) => ({ binding, resource }));
      return { pipeline, bindGroup: gpu.createBindGroup({ label, layout, entries }), workgroups };
    });
    return new Schedule(steps, dispatches, gpu.limits.maxComputeWorkgroupsPerDimension);
  }

  /** Encodes every dispatch, in order, for this many images. */
  encode(encoder: GPUCommandEncoder, batch: number): void {
    const pass = encoder.beginComputePass();
    for (let index = 0; index < this.dispatches.length; index++) {
      this.encodeOne(pass, index, batch);
    }
    pass.end();
  }

  /** Encodes the dispatch of one step. */
  encodeOne(pass: GPUComputePassEncoder, index: number, batch: number): void {
    const { pipeline, bindGroup, workgroups } = this.dispatches[index]!;
    const [x, y] = foldWorkgroups(countWorkgroups(workgroups.x, batch), this.maximumWorkgroups);
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(x, y, workgroups.z);
  }
}

/** Throws DeviceLimitError for a dispatch of more workgroups in z than the device grants. */
export function assertPlanes(
  steps: readonly Pick<ProgramStep, "label" | "location" | "workgroups">[],
  {
    maxComputeWorkgroupsPerDimension: most,
  }: Pick<GPUSupportedLimits, "maxComputeWorkgroupsPerDimension">,
): void {
  const excess = steps.find(({ workgroups }) => workgroups.z > most);
  if (!excess) return;
  const { label, location, workgroups } = excess;
  throw new DeviceLimitError(
    `the model does not fit this device: ${label} (line ${location.line}) needs ${workgroups.z} ` +
      `workgroups in z, and the device dispatches at most ${most}`,
  );
}

/** As round-up.ts, which weights files share: an import would split the first file to load. */
const multipleOf = (multiple: number, least: number) => Math.ceil(least / multiple) * multiple;

export function countWorkgroups(count: WorkgroupCount, batch: number): number {
  return Math.ceil((count.fixed + count.perImage * batch) / count.tile);
}

/**
 * Spreads more workgroups than one dimension allows over two; up to `y - 1` too many, which kernels
 * skip.
 */
export function foldWorkgroups(count: number, maximum: number): [x: number, y: number] {
  const y = Math.max(1, Math.ceil(count / maximum));
  return [Math.ceil(count / y), y];
}

/**
 * All steps' constants in one uniform buffer, each where a binding may begin. Returns each step's
 * part.
 */
function writeConstants(
  gpu: GPUDevice,
  memory: Memory,
  steps: readonly ProgramStep[],
  label: string,
): GPUBufferBinding[] {
  const alignment = gpu.limits.minUniformBufferOffsetAlignment;
  const parts: { offset: number; size: number }[] = [];
  let end = 0;
  for (const { constants } of steps) {
    const size = Math.max(16, multipleOf(16, constants.length * 4));
    parts.push({ offset: end, size });
    end = multipleOf(alignment, end + size);
  }
  const words = new Int32Array(Math.max(end, 16) / 4);
  steps.forEach(({ constants }, index) => words.set(constants, parts[index]!.offset / 4));
  const usage = BufferUsage.uniform | BufferUsage.copyDestination;
  const buffer = memory.createOwn(words.byteLength, usage, label);
  gpu.queue.writeBuffer(buffer, 0, words);
  return parts.map((part) => ({ buffer, ...part }));
}
