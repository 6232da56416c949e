/** A program that sees inside, on a network's device and with the network's parameters. */
import type { InsideProgram } from "../../program/inside.js";
import type { Program, ProgramParameter, ProgramTensor } from "../../program/program.js";
import { sizeOf } from "../../program/tensors.js";
import { InputError } from "../errors.js";
import type { Frame } from "../frame.js";
import type { InspectionParts } from "../inspection.js";
import { Memory, type Owned } from "../memory.js";
import { readBuffer } from "../readback.js";
import { Runner } from "../runner.js";

/** One image at a time: all layers are kept, and so memory is that of one example. */
const BATCH = 1;

export class OnDevice implements Owned {
  private constructor(
    private readonly inside: InsideProgram,
    /** Of the network, whose images and parameters are read. */
    private readonly network: InspectionParts,
    private readonly memory: Memory,
    private readonly runner: Runner,
    private readonly borrowed: readonly number[],
  ) {}

  static async create(inside: InsideProgram, network: InspectionParts): Promise<OnDevice> {
    const memory = new Memory(network.gpu, inside.program, BATCH);
    const lent = await lentBuffers(inside.program, network);
    for (const [index, buffer] of lent) memory.buffers.set(index, buffer);
    const runner = new Runner(network.gpu, inside.program, memory);
    const device = new OnDevice(inside, network, memory, runner, [...lent.keys()]);
    network.memory.extra.add(device);
    return device;
  }

  /** Bytes without those of borrowed parameters. They count as the network's. */
  get size(): number {
    const { total, parameter: borrowed } = this.memory.use;
    return total - borrowed;
  }

  isFor({ memory }: InspectionParts): boolean {
    return this.network.memory === memory;
  }

  /** Runs a list on one image of the call that the network has on the device. */
  async run(list: "predict" | "evaluate", image: number, scores?: Float32Array): Promise<void> {
    const { runner, inside } = this;
    await runner.prepare(list);
    this.copyInputs(image);
    const frame = this.frame();
    await runner.run("fold", { frame, collects: false });
    const given = scores ? { [inside.scores]: scores } : {};
    await runner.run(list, { ...given, frame, collects: false });
  }

  /** The tensors of these indices, each as many values as one example has. */
  async read(places: readonly number[]): Promise<readonly Float32Array[]> {
    const { memory, inside, network } = this;
    const tensors = places.map((place) => inside.program.tensors[place]!);
    return Promise.all(
      tensors.map(({ buffer, shape }) =>
        readBuffer(network.gpu, memory.buffer(buffer), 4 * sizeOf(shape)),
      ),
    );
  }

  destroy(): void {
    this.network.memory.extra.delete(this);
    for (const index of this.borrowed) this.memory.buffers.delete(index);
    this.memory.destroy();
  }

  private copyInputs(image: number): void {
    const { gpu } = this.network;
    const encoder = gpu.createCommandEncoder({ label: "inputs seen inside" });
    for (const own of this.inputs()) {
      const theirs = inputNamed(this.network.program, own.name);
      const bytes = 4 * sizeOf(own.shape);
      const source = this.network.memory.buffer(theirs.buffer);
      encoder.copyBufferToBuffer(source, image * bytes, this.memory.buffer(own.buffer), 0, bytes);
    }
    gpu.queue.submit([encoder.finish()]);
  }

  private inputs(): readonly ProgramTensor[] {
    const { program, scores } = this.inside;
    return program.tensors.filter(({ role }, index) => role === "input" && index !== scores);
  }

  private frame(): Frame {
    const { optimizer } = this.inside.program;
    const slice = { batch: 1, first: 0, images: 1, isFirst: true, isLast: true };
    return { ...slice, step: 0, seed: 0, training: false, optimizer };
  }
}

/** The network's buffers of parameters, or of their averages, by the program's indices. */
async function lentBuffers(
  { parameters }: Program,
  { program, memory }: InspectionParts,
): Promise<ReadonlyMap<number, GPUBuffer>> {
  const lent = new Map<number, GPUBuffer>();
  for (const own of parameters) {
    const theirs = program.parameters.find(({ name }) => name === own.name);
    if (!theirs || !liesAs(own, theirs)) throw otherModule(own);
    const indices = theirs.pieces.map(({ buffer, average }) => average ?? buffer);
    await memory.allocate(indices);
    own.pieces.forEach(({ buffer }, piece) => lent.set(buffer, memory.buffer(indices[piece]!)));
  }
  return lent;
}

/** The compiler lays parameters of both programs out by the same rules. */
function liesAs(a: ProgramParameter, b: ProgramParameter): boolean {
  const placed = ({ layout, pieces }: ProgramParameter) =>
    JSON.stringify([layout, pieces.map(({ start, count }) => [start, count])]);
  return placed(a) === placed(b);
}

const otherModule = ({ name }: ProgramParameter) =>
  new InputError(
    `the parameter \`${name}\` is not that of the network: the module and its file ` +
      "NAME.inspect.js come from different compilations; compile the spec again",
  );

const inputNamed = ({ tensors }: Program, name: string): ProgramTensor =>
  tensors.find((tensor) => tensor.role === "input" && tensor.name === name)!;
