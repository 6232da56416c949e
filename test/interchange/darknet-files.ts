/** A small network of Darknet, made by hand. */

export const CONFIG = `[net]
height=6
width=5
channels=2

[convolutional] # two by two, without padding
batch_normalize=1
filters=2
size=1
activation=leaky

[maxpool]
size=2
stride=2

[connected]
output=3
activation=linear

[softmax]
`.replace(/ #.*/, "");

/** Header of version 0.2, then numbers. */
export function weightsOf(numbers: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(20 + 4 * numbers.length);
  const view = new DataView(bytes.buffer);
  view.setInt32(4, 2, true);
  numbers.forEach((value, index) => view.setFloat32(20 + 4 * index, value, true));
  return bytes;
}

// Biases, scales, means, variances, kernel [2, 2, 1, 1]; then biases and matrix [3, 18].
export const CONVOLUTION = [0.1, -0.2, 1.5, 0.5, 0.3, -0.1, 0.25, 4, 1, -0.5, 0.75, 2];
export const MATRIX = Array.from({ length: 54 }, (_, index) => Math.sin(index * 1.7) / 4);
export const NUMBERS = [...CONVOLUTION, 0.5, 0, -0.5, ...MATRIX];

export const darknetFiles = (config = CONFIG, numbers: readonly number[] = NUMBERS) => ({
  "a.cfg": new TextEncoder().encode(config),
  "a.weights": weightsOf(numbers),
});
