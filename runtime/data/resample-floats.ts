/** The loops of resample.ts for floats, which pictures are only after other transforms. */
import type { Image } from "./dataset.js";
import type { Filter, Rows } from "./fixed-point.js";

export function floatsAcross(
  pixels: Image["pixels"],
  target: Image["pixels"],
  { first, count, weights, span }: Filter,
  { start, pitch, channels }: Rows,
): void {
  const width = first.length * channels;
  for (let index = 0; index < target.length; index++) {
    const x = Math.floor((index % width) / channels);
    let position =
      start + Math.floor(index / width) * pitch + first[x]! * channels + (index % channels);
    let sum = 0;
    for (let tap = x * span; tap < x * span + count[x]!; tap++) {
      sum += pixels[position]! * weights[tap]!;
      position += channels;
    }
    target[index] = sum;
  }
}

export function floatsDown(
  pixels: Image["pixels"],
  target: Image["pixels"],
  { first, count, weights, span }: Filter,
  length: number,
): void {
  for (let index = 0; index < target.length; index++) {
    const y = Math.floor(index / length);
    let sum = 0;
    for (let tap = 0; tap < count[y]!; tap++) {
      sum += pixels[(first[y]! + tap) * length + (index % length)]! * weights[y * span + tap]!;
    }
    target[index] = sum;
  }
}
