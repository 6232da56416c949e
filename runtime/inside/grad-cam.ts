/** Grad-CAM, as in Selvaraju et al. (2017), equations 1 and 2. */

export interface GradCamParts {
  /** Of a layer: channels x pixels. */
  readonly values: Float32Array;
  /** Of the class's score, with regard to each of them. */
  readonly gradient: Float32Array;
  readonly channels: number;
}

/**
 * The positive part of the sum over channels, each times the mean of its gradient: a value a pixel.
 */
export function gradCam({ values, gradient, channels }: GradCamParts): Float32Array {
  const pixels = values.length / channels;
  const sums = new Float64Array(pixels);
  for (let channel = 0; channel < channels; channel++) {
    const start = channel * pixels;
    const weight = meanOf(gradient.subarray(start, start + pixels));
    for (let pixel = 0; pixel < pixels; pixel++) sums[pixel]! += weight * values[start + pixel]!;
  }
  return Float32Array.from(sums, (sum) => Math.max(0, sum));
}

const meanOf = (values: Float32Array): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
