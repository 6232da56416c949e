/** Numbers of images in the order of Keras and TensorFlow.js. */
import type { ExportModel } from "../../interchange/export/model.js";
import { predictions } from "./export-cases.js";

export const floats = (values: ArrayLike<number>) => Float32Array.from(values);

/** From channels first to channels last. */
export function turnedImage(values: Float32Array, sizes: readonly number[]): Float32Array {
  const [channels, height, width] = sizes;
  if (height === undefined) return values;
  const pixels = height * width!;
  const size = channels! * pixels;
  return values.map((_, index) => {
    const [image, at] = [Math.floor(index / size), index % size];
    const [pixel, channel] = [Math.floor(at / channels!), at % channels!];
    return values[image * size + channel * pixels + pixel]!;
  });
}

/** Predictions with channels last. */
export const expectedOf = (model: ExportModel, inputs: ReadonlyMap<string, Float32Array>) =>
  predictions(model, inputs).map((values, index) => {
    const { value } = model.network.outputs[index]!;
    const { shape } = model.network.layers[value.index]!.type;
    return turnedImage(floats(values), shape.slice(1).map(Number));
  });
