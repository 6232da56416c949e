/** EinsumDense: products of a value with a matrix or a vector along some of its axes. */
import type {
  KerasConfig,
  KerasLayers,
  KerasShape,
  TensorRef,
} from "../channels-last/keras-writer.js";

/** Settings of an EinsumDense that gives `shape`. The kernel's comes from the equation. */
export const alongAxes = (
  equation: string,
  shape: KerasShape,
  { biasAxes }: { readonly biasAxes?: string } = {},
): KerasConfig => ({
  equation,
  output_shape: shape,
  activation: "linear",
  bias_axes: biasAxes ?? null,
});

/** A matrix `[from, to]`. */
export interface AxisMatrix {
  readonly from: number;
  readonly to: number;
  readonly values: Float32Array;
}

/** Gives the image with each column times one matrix, and each row times another. */
export function separable(layers: KerasLayers, vertical: AxisMatrix, horizontal: AxisMatrix): void {
  const input = layers.input();
  const [, width, channels] = input.shape as [number, number, number];
  const tall = [vertical.to, width, channels];
  const rows = layers.part("rows", "EinsumDense", tall, {
    ...product("nhwc,hr->nrwc", tall, vertical),
    inputs: [input],
  });
  layers.end("EinsumDense", {
    ...product("nhwc,wr->nhrc", layers.shape, horizontal),
    inputs: [rows],
  });
}

function product(equation: string, shape: KerasShape, { from, to, values }: AxisMatrix) {
  return {
    config: alongAxes(equation, shape),
    weights: [{ name: "kernel", shape: [from, to], values }],
    isConstant: true,
  };
}

/** What is not a layer of weights: each pixel of the image times a number. */
export function timesPixels(layers: KerasLayers, input: TensorRef, values: Float32Array): void {
  const [height, width] = layers.shape as [number, number];
  layers.end("EinsumDense", {
    config: alongAxes("nhwc,hw->nhwc", layers.shape),
    inputs: [input],
    weights: [{ name: "kernel", shape: [height, width], values }],
    isConstant: true,
  });
}
