/**
 * Single elements of what convolutions and their gradients make: large results are checked at some
 * places only.
 */
import type { ConvolutionAttributes, Node } from "../../compiler/ir/graph.js";
import type { Tensor } from "../../compiler/ops/op.js";
import { imageSizes } from "../../compiler/ops/tensors.js";
import { Summation, type SampledSum } from "./sums.js";

export type ContractionNode = Node<
  "convolution" | "convolutionInputGradient" | "convolutionWeightGradient"
>;

/** The shapes of what a node multiplies and makes, the batch resolved. */
export interface ContractionShapes {
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly w: readonly number[];
}

/** A function of an element's index in the result of a node: its sum. */
export function sampler(
  { kind, attributes }: ContractionNode,
  [first, second]: readonly [Tensor, Tensor],
  shapes: ContractionShapes,
): { readonly products: number; readonly at: (index: number) => SampledSum } {
  const taps = new Taps(shapes, attributes);
  const [a, b] = [first.data, second.data];
  switch (kind) {
    case "convolution":
      return collect(taps.productsOfOutput, taps.ofOutput, (_, x, w) => a[x]! * b[w]!);
    case "convolutionInputGradient":
      return collect(taps.productsOfInput, taps.ofInput, (y, _, w) => a[y]! * b[w]!);
    case "convolutionWeightGradient":
      return collect(taps.productsOfWeight, taps.ofWeight, (y, x) => b[y]! * a[x]!);
  }
}

type Visit = (y: number, x: number, w: number) => void;

function collect(
  products: number,
  visitAll: (index: number, visit: Visit) => void,
  product: (y: number, x: number, w: number) => number,
) {
  const at = (index: number): SampledSum => {
    const summation = new Summation();
    visitAll(index, (y, x, w) => summation.add(product(y, x, w)));
    return summation.sum;
  };
  return { products, at };
}

/** The triples of ops/taps.ts that one element of each member is part of. Indices are row-major. */
class Taps {
  private readonly x;
  private readonly y;
  private readonly inputs: number;
  private readonly outputs: number;

  constructor(
    shapes: ContractionShapes,
    private readonly attributes: ConvolutionAttributes,
  ) {
    this.x = imageSizes(shapes.x);
    this.y = imageSizes(shapes.y);
    this.inputs = this.x.channels / attributes.groups;
    this.outputs = this.y.channels / attributes.groups;
  }

  private get window(): number {
    return this.attributes.kernel[0] * this.attributes.kernel[1];
  }

  get productsOfOutput(): number {
    return this.inputs * this.window;
  }

  get productsOfInput(): number {
    return this.outputs * this.window;
  }

  get productsOfWeight(): number {
    return this.y.images * this.y.pixels;
  }

  readonly ofOutput = (index: number, visit: Visit): void => {
    const { image, channel, row, column } = placeOf(index, this.y);
    const group = Math.floor(channel / this.outputs);
    for (let tap = 0; tap < this.window; tap++) {
      const from = this.inputAt(row, column, tap);
      if (from === undefined) continue;
      for (let input = 0; input < this.inputs; input++) {
        const plane = image * this.x.channels + group * this.inputs + input;
        visit(index, plane * this.x.pixels + from, this.weightAt(channel, input, tap));
      }
    }
  };

  readonly ofInput = (index: number, visit: Visit): void => {
    const { image, channel, row, column } = placeOf(index, this.x);
    const group = Math.floor(channel / this.inputs);
    const input = channel % this.inputs;
    for (let tap = 0; tap < this.window; tap++) {
      const from = this.outputAt(row, column, tap);
      if (from === undefined) continue;
      for (let output = 0; output < this.outputs; output++) {
        const own = group * this.outputs + output;
        const plane = image * this.y.channels + own;
        visit(plane * this.y.pixels + from, index, this.weightAt(own, input, tap));
      }
    }
  };

  readonly ofWeight = (index: number, visit: Visit): void => {
    const tap = index % this.window;
    const input = Math.floor(index / this.window) % this.inputs;
    const output = Math.floor(index / this.window / this.inputs);
    const group = Math.floor(output / this.outputs);
    for (let image = 0; image < this.y.images; image++) {
      const xPlane = (image * this.x.channels + group * this.inputs + input) * this.x.pixels;
      const yPlane = (image * this.y.channels + output) * this.y.pixels;
      for (let pixel = 0; pixel < this.y.pixels; pixel++) {
        const row = Math.floor(pixel / this.y.width);
        const from = this.inputAt(row, pixel % this.y.width, tap);
        if (from !== undefined) visit(yPlane + pixel, xPlane + from, index);
      }
    }
  };

  private weightAt(output: number, input: number, tap: number): number {
    return (output * this.inputs + input) * this.window + tap;
  }

  /** The input pixel that a tap of an output pixel's window reads; undefined in the padding. */
  private inputAt(row: number, column: number, tap: number): number | undefined {
    const { kernel, stride, padding, dilation } = this.attributes;
    const y = row * stride[0] - padding.top + Math.floor(tap / kernel[1]) * dilation[0];
    const x = column * stride[1] - padding.left + (tap % kernel[1]) * dilation[1];
    if (y < 0 || y >= this.x.height || x < 0 || x >= this.x.width) return undefined;
    return y * this.x.width + x;
  }

  /** The output pixel whose window has an input pixel at a tap; undefined where there is none. */
  private outputAt(row: number, column: number, tap: number): number | undefined {
    const { kernel, stride, padding, dilation } = this.attributes;
    const y = (row + padding.top - Math.floor(tap / kernel[1]) * dilation[0]) / stride[0];
    const x = (column + padding.left - (tap % kernel[1]) * dilation[1]) / stride[1];
    const isInside = y >= 0 && y < this.y.height && x >= 0 && x < this.y.width;
    return Number.isInteger(y) && Number.isInteger(x) && isInside
      ? y * this.y.width + x
      : undefined;
  }
}

function placeOf(index: number, { channels, pixels, width }: ReturnType<typeof imageSizes>) {
  const pixel = index % pixels;
  const plane = Math.floor(index / pixels);
  return {
    image: Math.floor(plane / channels),
    channel: plane % channels,
    row: Math.floor(pixel / width),
    column: pixel % width,
  };
}

/** The shapes of a node's members, from its inputs and its result. */
export function contractionShapes(
  { kind }: ContractionNode,
  [first, second]: readonly [Tensor, Tensor],
  result: readonly number[],
): ContractionShapes {
  switch (kind) {
    case "convolution":
      return { x: first.shape, w: second.shape, y: result };
    case "convolutionInputGradient":
      return { y: first.shape, w: second.shape, x: result };
    case "convolutionWeightGradient":
      return { x: first.shape, y: second.shape, w: result };
  }
}
