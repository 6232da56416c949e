/**
 * The phases of training: one program for each, of which one is on the device, and where training
 * is.
 */
import { bindableBytes } from "../program/limits.js";
import type { Program } from "../program/program.js";
import { largestSlice } from "../program/slices.js";
import type { NetworkOptions } from "./calls.js";
import type { Device } from "./device.js";
import { assertFinite } from "./examples.js";
import { Loaded, type LoadedParts } from "./loaded.js";

export interface PhasesOptions extends Pick<
  NetworkOptions,
  "accumulate" | "classes" | "onCompile" | "seed"
> {
  readonly batch: number;
  readonly layout: LoadedParts["layout"];
}

export class Phases {
  /** The most images on the device at a time, in every phase. */
  readonly slice: number;
  /** Training steps done. */
  step = 0;
  /** The step before which the phase began. */
  since = 0;
  seed: number;
  /** Names of the classes, where they are known; `load` may bring them. */
  classes: readonly string[] | undefined;
  /** The present phase, from 0. `enter` and `restart` change it, and `loaded`. */
  current = 0;
  /** The program of the present phase, on the device. */
  loaded: Loaded;
  gpu: GPUDevice;
  readonly programs: readonly Program[];
  private readonly options: PhasesOptions;

  constructor(program: Program, { gpu }: Device, options: PhasesOptions) {
    this.programs = [program, ...(program.phases ?? [])];
    this.gpu = gpu;
    this.options = options;
    this.seed = options.seed ?? 0;
    this.classes = options.classes ?? program.classes;
    const wanted = Math.ceil(options.batch / (options.accumulate ?? 1));
    this.slice = sliceFor(this.programs, gpu, wanted);
    this.loaded = this.load(program);
  }

  get count(): number {
    return this.programs.length;
  }

  /**
   * Replaces the present program by another phase's. Parameters and their averages keep their
   * values; the optimizer starts again. Throws InputError where the recipe has no such phase.
   */
  async enter(phase: number): Promise<void> {
    if (phase === this.current) return;
    await (await import("./enter-phase.js")).enterPhase(this, phase, assertFinite);
  }

  /** Starts training again from the first phase, on another device. */
  restart({ gpu }: Device): void {
    this.gpu = gpu;
    this.loaded = this.load(this.programs[0]!);
    [this.step, this.since, this.current] = [0, 0, 0];
  }

  /** Puts a program on the device. */
  load(program: Program): Loaded {
    const { gpu, slice, options } = this;
    return new Loaded({ ...options, gpu, program, slice });
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
