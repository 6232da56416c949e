/** A program on a device: its memory, its parameters, and what runs its step lists. */
import type { Program, ProgramParameter } from "../program/program.js";
import { Memory } from "./memory.js";
import { type ImportLayout, Parameters, type TensorOf } from "./parameters.js";
import type { CompileProgress } from "./pipelines.js";
import { readBuffer } from "./readback.js";
import { Runner } from "./runner.js";

/** Values of parameters, each in PyTorch's order. */
export type Tensors = ReadonlyMap<ProgramParameter, Float32Array>;

/** What may be known of a program's parameters. */
export interface ParameterValues {
  readonly values: Tensors;
  /** Averages over the steps of training, where the program keeps them. */
  readonly averages: Tensors;
  /** What the optimizer keeps, by its name. */
  readonly states?: ReadonlyMap<TensorOf, Tensors>;
}

export interface LoadedParts {
  readonly gpu: GPUDevice;
  readonly program: Program;
  /** The most images on the device at a time. */
  readonly slice: number;
  readonly onCompile?: ((progress: CompileProgress) => unknown) | undefined;
  readonly layout: ImportLayout;
}

export class Loaded {
  readonly program: Program;
  readonly memory: Memory;
  readonly parameters: Parameters;
  readonly runner: Runner;
  /** Whether the folded parameters are up to date. */
  isFolded = false;
  readonly gpu: GPUDevice;

  constructor({ gpu, program, slice, onCompile, layout }: LoadedParts) {
    this.gpu = gpu;
    this.program = program;
    this.memory = new Memory(gpu, program, slice);
    this.parameters = new Parameters(gpu, program, this.memory, layout);
    this.runner = new Runner(gpu, program, this.memory, onCompile);
  }

  /** Replaces a parameter's values and its average. They must have been allocated. */
  async write(parameter: ProgramParameter, values: Float32Array): Promise<void> {
    this.isFolded = false;
    for (const of of ["value", "average"] as const) {
      await this.parameters.write(parameter, of, values);
    }
  }

  /** Fills parameters and their states. Averages that are not given begin with the parameters. */
  async put({ values, averages, states = new Map() }: ParameterValues): Promise<void> {
    this.isFolded = false;
    const all: readonly (readonly [of: TensorOf, tensors: Tensors])[] = [
      ["value", values],
      ["average", new Map([...values, ...averages])],
      ...states,
    ];
    for (const [of, tensors] of all) await this.parameters.allocate(tensors.keys(), of);
    for (const [of, tensors] of all) {
      for (const [parameter, tensor] of tensors) await this.parameters.write(parameter, of, tensor);
    }
  }

  /**
   * The state of a dynamic loss scale, after it was set if `values` are given; undefined in
   * programs without one.
   */
  async lossScale(values?: ArrayLike<number>): Promise<Float32Array | undefined> {
    const { lossScale } = this.program;
    if (lossScale === undefined) return undefined;
    await this.memory.allocate([lossScale]);
    const buffer = this.memory.buffer(lossScale);
    if (values) this.gpu.queue.writeBuffer(buffer, 0, Float32Array.from(values));
    return readBuffer(this.gpu, buffer);
  }
}
