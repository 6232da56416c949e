/** Samples of a model that makes images of noise, side by side in one picture. */
import sharp from "sharp";
import { drawnFrom } from "../program/noise.js";
import type { Program, ProgramTensor } from "../program/program.js";
import { threefry } from "../program/random.js";
import type { TrainRecipe } from "../program/recipe.js";
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
  /** Samples of a row; as many as there are rows, or one more, unless given. */
  readonly columns?: number;
  readonly seed: number;
  /** Of the images that the samples are to be like: what normalizes them is undone. */
  readonly transforms: readonly Transform[];
}

/** Samples with lines of a pixel around them. */
export interface SamplePicture {
  /** Rows from the top, channels interleaved. */
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  /** Samples of which a value is not finite: they are black there. */
  readonly notFinite: number;
}

/** The transforms that samples of a recipe's model are like the results of. */
export const transformsOf = (recipe: Pick<TrainRecipe, "data"> | undefined): readonly Transform[] =>
  (recipe?.data?.train ?? recipe?.data?.eval)?.transforms ?? [];

/** Samples side by side: the same for a seed, however many there are. */
export async function drawSamples(
  network: Network,
  { count, seed, transforms, columns = Math.ceil(Math.sqrt(count)) }: SampleOptions,
): Promise<SamplePicture> {
  const { program, batch } = network;
  const [output] = tensorsOf(program, "prediction") as [ProgramTensor];
  const [channels, height, width] = output.shape as [1 | 3, number, number];
  const rows = Math.ceil(count / columns);
  const [wide, high] = [columns * (width + 1) + 1, rows * (height + 1) + 1];
  const pixels = new Uint8Array(channels * wide * high).fill(128);
  const toByte = byteOf(transforms);
  const spoilt = new Set<number>();
  for (let first = 0; first < count; first += batch) {
    const part = Math.min(batch, count - first);
    const values = await network.predict(noiseFor(program, { first, part, seed }));
    values.forEach((value, index) => {
      const image = first + Math.floor(index / sizeOf(output.shape));
      if (!Number.isFinite(value)) spoilt.add(image);
      const channel = Math.floor(index / (height * width)) % channels;
      const y =
        Math.floor(image / columns) * (height + 1) + 1 + (Math.floor(index / width) % height);
      const x = (image % columns) * (width + 1) + 1 + (index % width);
      pixels[(y * wide + x) * channels + channel] = toByte(value, channel);
    });
  }
  return { pixels, width: wide, height: high, channels, notFinite: spoilt.size };
}

/** The picture as a PNG file. */
export function samplesPng({ pixels, width, height, channels }: SamplePicture): Promise<Buffer> {
  return sharp(pixels, { raw: { width, height, channels } }).png().toBuffer();
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
