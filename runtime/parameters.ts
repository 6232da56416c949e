/** A program's parameters on the device, in PyTorch's order to the outside. */
import { sizeOf } from "../program/tensors.js";
import { stateNames } from "../program/optimizers.js";
import type { Program, ProgramParameter } from "../program/program.js";
import { describe } from "./describe.js";
import { InputError } from "./errors.js";
import { assertFinite } from "./examples.js";
import type { Memory } from "./memory.js";
import { readBuffer } from "./readback.js";

/**
 * Which of a parameter's tensors: its value, its average over the steps of training, its gradient,
 * or what the optimizer keeps of it (`velocity`, `exp_avg` ...).
 */
export type TensorOf =
  "value" | "average" | "gradient" | "velocity" | "exp_avg" | "exp_avg_sq" | "square_avg";

/** How weights lie on the device: files need it, too, and most pages load none of it. */
export type ImportLayout = () => Promise<
  Pick<typeof import("./layout.js"), "packPiece" | "unpackPiece">
>;

export class Parameters {
  constructor(
    private readonly gpu: GPUDevice,
    private readonly program: Program,
    private readonly memory: Memory,
    private readonly layout: ImportLayout,
  ) {}

  /** Throws InputError with the names there are. */
  find(name: string): ProgramParameter {
    const parameter = this.program.parameters.find((candidate) => candidate.name === name);
    if (parameter !== undefined) return parameter;
    const names = this.program.parameters.map((candidate) => candidate.name).join(", ");
    throw new InputError(`there is no parameter \`${name}\`; the model has ${names || "none"}`);
  }

  /** Allocates the tensors of these parameters that are not on the device yet. */
  allocate(parameters: Iterable<ProgramParameter>, of: TensorOf): Promise<void> {
    return this.memory.allocate(
      [...parameters].flatMap((parameter) => this.buffersOf(parameter, of)),
    );
  }

  async read(parameter: ProgramParameter, of: TensorOf): Promise<Float32Array> {
    const buffers = this.buffersOf(parameter, of);
    if (buffers.length < parameter.pieces.length) {
      throw new InputError(`the program was compiled without a ${of} of \`${parameter.name}\``);
    }
    const { unpackPiece } = await this.layout();
    await this.allocate([parameter], of);
    const values = new Float32Array(sizeOf(parameter.shape));
    const rows = parameter.shape[0] ?? 1;
    for (const [index, piece] of parameter.pieces.entries()) {
      const packed = await readBuffer(this.gpu, this.memory.buffer(buffers[index]!));
      unpackPiece(parameter.layout, piece, rows, packed, values);
    }
    return values;
  }

  /** The tensors must have been allocated. */
  async write(parameter: ProgramParameter, of: TensorOf, values: Float32Array): Promise<void> {
    const { packPiece } = await this.layout();
    const rows = parameter.shape[0] ?? 1;
    for (const [index, buffer] of this.buffersOf(parameter, of).entries()) {
      const packed = packPiece(parameter.layout, parameter.pieces[index]!, rows, values);
      this.gpu.queue.writeBuffer(this.memory.buffer(buffer), 0, packed);
    }
  }

  /** The buffers of one of a parameter's tensors, by piece; none if the program has none. */
  private buffersOf({ pieces }: ProgramParameter, of: TensorOf): number[] {
    const state = stateNames(this.program.optimizer).indexOf(of);
    return pieces
      .map((piece) => {
        if (of === "value") return piece.buffer;
        if (of === "gradient" || of === "average") return piece[of];
        return piece.states?.[state];
      })
      .filter((index) => index !== undefined);
  }

  /** The tensors of all parameters that have one. */
  async valuesOf(of: TensorOf): Promise<Map<ProgramParameter, Float32Array>> {
    const tensors = new Map<ProgramParameter, Float32Array>();
    for (const parameter of this.program.parameters) {
      if (this.buffersOf(parameter, of).length === 0) continue;
      tensors.set(parameter, await this.read(parameter, of));
    }
    return tensors;
  }
}

/** A copy of values for a parameter. Throws InputError unless they are as many, and finite. */
export function ownValues(
  { name, shape }: Pick<ProgramParameter, "name" | "shape">,
  values: Float32Array,
): Float32Array {
  if (!(values instanceof Float32Array)) {
    throw new InputError(`\`${name}\` must be a Float32Array, not ${describe(values)}`);
  }
  const expected = sizeOf(shape);
  if (values.length !== expected) {
    const extents = `[${shape.join(", ")}]`;
    throw new InputError(
      `\`${name}\` has ${expected} values (${extents}), and ${values.length} were given`,
    );
  }
  const own = new Float32Array(values);
  assertFinite(own, `\`${name}\``);
  return own;
}
