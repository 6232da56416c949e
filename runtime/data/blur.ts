/** Gaussian blur as torchvision has it: reflected borders, bytes rounded. */
import type { TransformOf } from "../../program/transforms.js";
import type { Image } from "./dataset.js";
import { DataError } from "./error.js";
import { roundHalfToEven } from "./image.js";
import type { ExampleRandom } from "./random.js";

export function blur(
  image: Image,
  { kernel, sigma }: TransformOf<"gaussian_blur">,
  random: ExampleRandom,
): Image {
  const { width, height, channels } = image;
  if (kernel[0] > 2 * height - 1 || kernel[1] > 2 * width - 1) {
    throw new DataError(
      `gaussian_blur(${kernel.join("x")}) met an image of ${width}x${height} (width x height): ` +
        "its kernel reaches beyond what can be reflected",
      "choose a smaller kernel, or resize before it",
    );
  }
  const deviation = random.between(...sigma);
  const across = { length: width, step: channels, weights: gaussian(kernel[1], deviation) };
  const down = { length: height, step: width * channels, weights: gaussian(kernel[0], deviation) };
  const sums = weighed(weighed(Float64Array.from(image.pixels), across), down);
  const isBytes = image.pixels instanceof Uint8Array;
  const pixels = isBytes ? Uint8Array.from(sums, roundHalfToEven) : Float32Array.from(sums);
  return { ...image, pixels };
}

function gaussian(size: number, deviation: number): readonly number[] {
  const values = Array.from({ length: size }, (_, index) => {
    return Math.exp(-0.5 * ((index - (size - 1) / 2) / deviation) ** 2);
  });
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => value / sum);
}

/** Along one axis: values that are `step` apart. */
function weighed(
  values: Float64Array,
  { length, step, weights }: { length: number; step: number; weights: readonly number[] },
): Float64Array {
  const half = (weights.length - 1) / 2;
  const last = length - 1;
  return values.map((_, index) => {
    const place = Math.floor(index / step) % length;
    let sum = 0;
    weights.forEach((weight, tap) => {
      const wanted = Math.abs(place + tap - half);
      const reflected = wanted > last ? 2 * last - wanted : wanted;
      sum += weight * values[index + (reflected - place) * step]!;
    });
    return sum;
  });
}
