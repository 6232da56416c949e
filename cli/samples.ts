/** Samples of a model that makes images of noise, side by side in one picture. */
import sharp from "sharp";
import { drawnFrom } from "../program/noise.js";
import type { Program, ProgramTensor } from "../program/program.js";
import { threefry } from "../program/random.js";
import { sizeOf, tensorsOf } from "../program/tensors.js";
import type { Transform } from "../program/transforms.js";
import type { Network } from "../runtime/network.js";

/** Whether a program makes images of noise alone. */
export function makesSamples(program: Pick<Program, "tensors" | "uses">): boolean {
  const given = program.uses.predict.reads.map((index) => program.tensors[index]!);
  const [output] = tensorsOf(program, "prediction");
  const isImage = output?.shape.length === 3 && [1, 3].includes(output.shape[0]!);
  return isImage && given.length > 0 && given.every(({ role }) => role === "noise");
}

export interface SampleOptions {
  readonly count: number;
  readonly seed: number;
  /** Of the images that the samples are to be like: what normalizes them is undone. */
  readonly transforms: readonly Transform[];
}

/** The picture of samples as a PNG file: as many columns as rows, or one more. */
export async function samplePicture(
  network: Network,
  { count, seed, transforms }: SampleOptions,
): Promise<Buffer> {
  const { program, batch } = network;
  const [output] = tensorsOf(program, "prediction") as [ProgramTensor];
  const [channels, height, width] = output.shape as [number, number, number];
  const columns = Math.ceil(Math.sqrt(count));
  const rows = Math.ceil(count / columns);
  const [wide, high] = [columns * (width + 1) + 1, rows * (height + 1) + 1];
  const pixels = new Uint8Array(channels * wide * high).fill(128);
  const toByte = byteOf(transforms);
  for (let first = 0; first < count; first += batch) {
    const part = Math.min(batch, count - first);
    const values = await network.predict(noiseFor(program, { first, part, seed }));
    values.forEach((value, index) => {
      const image = first + Math.floor(index / sizeOf(output.shape));
      const channel = Math.floor(index / (height * width)) % channels;
      const y =
        Math.floor(image / columns) * (height + 1) + 1 + (Math.floor(index / width) % height);
      const x = (image % columns) * (width + 1) + 1 + (index % width);
      pixels[(y * wide + x) * channels + channel] = toByte(value, channel);
    });
  }
  return sharp(pixels, { raw: { width: wide, height: high, channels: channels as 1 | 3 } })
    .png()
    .toBuffer();
}

/** Undoes `normalize`; without it, pixels are numbers from 0 to 1. */
function byteOf(transforms: readonly Transform[]): (value: number, channel: number) => number {
  const found = transforms.findLast(({ kind }) => kind === "normalize");
  const { mean, std } = found?.kind === "normalize" ? found : { mean: [0], std: [1] };
  return (value, channel) => {
    const plain = value * (std[channel] ?? std[0]!) + (mean[channel] ?? mean[0]!);
    return Math.round(255 * Math.min(1, Math.max(0, plain)));
  };
}

interface Drawn {
  readonly first: number;
  readonly part: number;
  readonly seed: number;
}

/** Noise for samples from `first` on: always the same for a seed. */
function noiseFor(program: Program, { first, part, seed }: Drawn) {
  const tensors = program.uses.predict.reads.map((index) => program.tensors[index]!);
  const drawn = tensors.map(({ name, shape, distribution }, stream) => {
    const each = sizeOf(shape);
    const values = Float32Array.from({ length: part * each }, (_, index) =>
      drawnFrom(distribution!, threefry(seed, stream, first * each + index, 0)),
    );
    return [name, values] as const;
  });
  return (drawn.length > 1 ? Object.fromEntries(drawn) : drawn[0]![1]) as Float32Array;
}
