/**
 * The phases of training: one program for each, of which one is on the device, and where training
 * is.
 */
import { bindableBytes } from "../program/limits.js";
import { inLossScale } from "../program/loss-scale.js";
import type { Program, ProgramParameter } from "../program/program.js";
import { largestSlice } from "../program/slices.js";
import type { NetworkOptions } from "./calls.js";
import type { Device } from "./device.js";
import { InputError } from "./errors.js";
import { assertFinite } from "./examples.js";
import { Loaded, type Tensors } from "./loaded.js";

export interface PhasesOptions extends Pick<NetworkOptions, "accumulate" | "onCompile" | "seed"> {
  readonly batch: number;
}

export class Phases {
  /** The most images on the device at a time, in every phase. */
  readonly slice: number;
  /** Training steps done. */
  step = 0;
  /** The step before which the phase began. */
  since = 0;
  seed: number;
  /** The present phase, from 0. `enter` and `restart` change it, and `loaded`. */
  current = 0;
  /** The program of the present phase, on the device. */
  loaded: Loaded;
  private gpu: GPUDevice;
  private readonly programs: readonly Program[];
  private readonly onCompile: PhasesOptions["onCompile"];

  constructor(program: Program, { gpu }: Device, options: PhasesOptions) {
    this.programs = [program, ...(program.phases ?? [])];
    this.gpu = gpu;
    this.onCompile = options.onCompile;
    this.seed = options.seed ?? 0;
    const wanted = Math.ceil(options.batch / (options.accumulate ?? 1));
    this.slice = sliceFor(this.programs, gpu, wanted);
    this.loaded = this.load(program);
  }

  get count(): number {
    return this.programs.length;
  }

  /** The program of a phase. Throws InputError where the recipe has no such phase. */
  programOf(phase: number): Program {
    const program = this.programs[phase];
    if (program) return program;
    throw new InputError(`the recipe has no phase ${phase} of training`);
  }

  /**
   * Replaces the present program by another phase's. Parameters and their averages keep their
   * values; the optimizer starts again.
   */
  async enter(phase: number): Promise<void> {
    if (phase === this.current) return;
    const program = this.programOf(phase);
    const { parameters, memory } = this.loaded;
    const values = await parameters.valuesOf("value");
    const averages = await parameters.valuesOf("average");
    for (const [{ name }, tensor] of [...values, ...averages]) assertFinite(tensor, `\`${name}\``);
    // The powers of Adam's betas start again with the optimizer.
    const scale = await this.loaded.lossScale();
    if (scale) for (const power of ["power1", "power2"] as const) scale[inLossScale(power)] = 1;
    // Calls under way read their results from the memory that is freed.
    await this.gpu.queue.onSubmittedWorkDone();
    memory.destroy();
    this.loaded = this.load(program);
    await this.loaded.put({
      values: ofProgram(program, values),
      averages: program.steps.average.length > 0 ? ofProgram(program, averages) : new Map(),
    });
    await this.loaded.lossScale(scale);
    [this.current, this.since] = [phase, this.step];
  }

  /** Starts training again from the first phase, on another device. */
  restart({ gpu }: Device): void {
    this.gpu = gpu;
    this.loaded = this.load(this.programOf(0));
    [this.step, this.since, this.current] = [0, 0, 0];
  }

  private load(program: Program): Loaded {
    const [gpu, slice, onCompile] = [this.gpu, this.slice, this.onCompile];
    return new Loaded({ gpu, program, slice, onCompile });
  }
}

/** The most images up to `wanted` with which all programs fit their budgets and the device. */
function sliceFor(programs: readonly Program[], { limits }: GPUDevice, wanted: number): number {
  const slices = programs.map(({ slice = wanted, buffers }) => {
    const most = Math.min(wanted, slice);
    // Where not even one image fits, the allocation says so.
    return largestSlice(buffers, most, bindableBytes(limits)) || most;
  });
  return Math.min(...slices);
}

/** The same values for the parameters of another program, which have the same names and shapes. */
function ofProgram({ parameters }: Program, tensors: Tensors): Tensors {
  const byName = new Map([...tensors].map(([{ name }, values]) => [name, values]));
  const known = parameters.filter(({ name }) => byName.has(name));
  return new Map(
    known.map((own): [ProgramParameter, Float32Array] => [own, byName.get(own.name)!]),
  );
}
