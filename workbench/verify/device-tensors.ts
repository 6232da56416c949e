/** Values of a graph, as they lie on a device, in PyTorch's order. */
import type { Graph, Value } from "../../compiler/ir/graph.js";
import { imageShape, isSequence } from "../../compiler/ir/shape.js";
import { roundUpTo4, type ActivationLayout } from "../../compiler/layout/activation-layout.js";
import { codeWidth } from "../../compiler/layout/code-width.js";
import { NO_WINNER } from "../../compiler/ir/graph.js";
import type { Tensor } from "../../compiler/ops/op.js";
import { asImageShape, fromImage, resolveShape, tensorSize } from "../../compiler/ops/tensors.js";
import { isHalf } from "../../compiler/plan/plan.js";
import type { WrittenList } from "../../compiler/write/lists.js";
import type { Inspection } from "../../runtime/inspection.js";
import { floatsOf } from "../../program/half.js";
import { placeOf, unpackPiece } from "../../runtime/layout.js";

export class DeviceTensors {
  constructor(
    private readonly list: WrittenList,
    private readonly inspection: Inspection,
  ) {}

  /**
   * What a value holds now; undefined where the list does not store it. Valid as long as the memory
   * plan keeps it.
   */
  async read(value: Value): Promise<Tensor | undefined> {
    const buffers = this.list.buffersOf(value);
    if (buffers.length === 0) return undefined;
    const shape = resolveShape(value.shape, this.inspection.batch);
    const parameter = this.list.plan.parameters.get(value.id);
    if (parameter) return { shape, data: await this.parameter(parameter, buffers) };
    const [buffer] = buffers as [number];
    const layout = this.list.plan.layouts.get(value.id);
    if (layout) return { shape, data: await this.activation(value, layout, shape, buffer) };
    const isGiven = this.list.plan.graph.inputs.some((port) => port.value === value);
    if (value.type === "u32" && shape.length > 1 && !isGiven) {
      return { shape, data: await this.codes(value, buffer) };
    }
    const values = await this.inspection.read(buffer, 4 * roundUpTo4(tensorSize(shape)));
    const data = values.subarray(0, tensorSize(shape));
    return { shape, data: value.type === "u32" ? bitsOf(data) : data };
  }

  /** Some elements of a parameter, or of what is laid out like one, in a column. */
  async gather(value: Value, places: readonly number[]): Promise<Tensor> {
    const { layout, pieces } = this.list.plan.parameters.get(value.id)!;
    const buffers = this.list.buffersOf(value);
    const rows = Number(value.shape[0] ?? 1);
    const data = await this.inspection.gather(
      places.map((index) => {
        const { piece, offset } = placeOf(layout, pieces, rows, index);
        return { buffer: buffers[piece]!, offset };
      }),
    );
    return { shape: [places.length], data };
  }

  private async parameter(
    {
      parameter,
      layout,
      pieces,
    }: NonNullable<ReturnType<WrittenList["plan"]["parameters"]["get"]>>,
    buffers: readonly number[],
  ): Promise<Float32Array> {
    const shape = parameter.value.shape.map(Number);
    const values = new Float32Array(tensorSize(shape));
    for (const [index, { start, count, bytes }] of pieces.entries()) {
      const packed = await this.inspection.read(buffers[index]!, bytes);
      unpackPiece(layout, { start, count, buffer: 0 }, shape[0] ?? 1, packed, values);
    }
    return values;
  }

  private async activation(
    value: Value,
    layout: ActivationLayout,
    shape: readonly number[],
    buffer: number,
  ): Promise<Float32Array> {
    const data = await this.image(value, layout, tensorSize(shape), buffer);
    if (!isSequence(value.shape)) return data;
    const images = { shape: resolveShape(asImageShape(value.shape), shape[0]!), data };
    return fromImage(value.shape, images).data as Float32Array;
  }

  private async image(
    value: Value,
    layout: ActivationLayout,
    size: number,
    buffer: number,
  ): Promise<Float32Array> {
    const { channels, height, width, imagePitch } = layout;
    const { row, column, base } = layout.inFloats();
    const packed = await this.numbers(value, buffer, imagePitch * this.inspection.batch);
    const values = new Float32Array(size);
    let index = 0;
    for (let image = 0; image < this.inspection.batch; image++) {
      for (let channel = 0; channel < channels; channel++) {
        for (let y = 0; y < height; y++) {
          const start = image * imagePitch + base + y * row + channel;
          for (let x = 0; x < width; x++) values[index++] = packed[start + x * column]!;
        }
      }
    }
    return values;
  }

  /** The first numbers in a value's buffer. */
  private async numbers(value: Value, buffer: number, count: number): Promise<Float32Array> {
    if (!isHalf(this.list.plan, value)) return this.inspection.read(buffer, 4 * count);
    const read = await this.inspection.read(buffer, 2 * count);
    return floatsOf(new Uint16Array(read.buffer, 0, count));
  }

  /** A pooling's codes: for each pixel and four channels a word, or four. */
  private async codes(value: Value, buffer: number): Promise<Uint32Array> {
    const { channels, height, width } = imageShape(value.shape);
    const quads = roundUpTo4(channels) / 4;
    const isPacked = codeWidth(kernelOf(this.list.plan.graph, value)) === "bytes";
    const words = height * width * quads * (isPacked ? 1 : 4);
    const packed = await this.inspection.read(buffer, 4 * words * this.inspection.batch);
    const bytes = isPacked ? new Uint8Array(packed.buffer) : undefined;
    const codes = bytes ?? bitsOf(packed);
    const pixels = height * width;
    const result = new Uint32Array(this.inspection.batch * channels * pixels);
    for (let index = 0; index < result.length; index++) {
      const pixel = index % pixels;
      const plane = Math.floor(index / pixels);
      const image = Math.floor(plane / channels);
      const code = codes[(image * pixels + pixel) * quads * 4 + (plane % channels)]!;
      result[index] = isPacked && code === 255 ? NO_WINNER : code;
    }
    return result;
  }
}

const bitsOf = (values: Float32Array): Uint32Array =>
  new Uint32Array(values.buffer, values.byteOffset, values.length);

function kernelOf(graph: Graph, code: Value) {
  const pool = graph.nodes.find((node) => node.outputs.includes(code));
  if (pool?.kind !== "maxPool") throw new Error(`${code.name} is not the code of a pooling`);
  return pool.attributes.kernel;
}
