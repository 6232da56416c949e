/**
 * Operations of RandAugment and its relatives on the colors of images of bytes, with torchvision's
 * arithmetic for tensors: 32-bit floats, cut off to bytes.
 */
import type { Image } from "../dataset.js";
import { roundHalfToEven } from "../image.js";

/** An image of bytes from 0 to 255. */
export interface ByteImage extends Image {
  readonly pixels: Uint8Array;
}

/** The image as bytes from 0 to 255, which it mostly is. */
export function toBytes(image: Image): ByteImage {
  const { pixels, maximum } = image;
  if (pixels instanceof Uint8Array && maximum === 255) return { ...image, pixels };
  const scaled = Uint8ClampedArray.from(pixels, (value) => (255 * value) / maximum);
  return { ...image, pixels: new Uint8Array(scaled.buffer), maximum: 255 };
}

const f32 = Math.fround;
const inBytes = (value: number) => Math.min(255, Math.max(0, value));

function mapBytes(image: ByteImage, change: (value: number, index: number) => number): ByteImage {
  return { ...image, pixels: image.pixels.map(change) };
}

/** From `other`, for a factor of 0, through the image, for 1, and beyond. */
function blend(image: ByteImage, factor: number, other: (index: number) => number): ByteImage {
  const [own, rest] = [f32(factor), f32(1 - factor)];
  return mapBytes(image, (value, index) =>
    inBytes(f32(f32(own * value) + f32(rest * other(index)))),
  );
}

const LUMA = [0.2989, 0.587, 0.114].map(f32) as [number, number, number];

/** The gray of each pixel, cut off to bytes; of gray images the pixels themselves. */
function grays({ pixels, channels }: ByteImage): Uint8Array {
  if (channels === 1) return pixels;
  return Uint8Array.from({ length: pixels.length / channels }, (_, pixel) => {
    const [red, green, blue] = LUMA.map((weight, channel) => {
      return f32(weight * pixels[pixel * channels + channel]!);
    }) as [number, number, number];
    return f32(f32(red + green) + blue);
  });
}

export const brighten = (image: ByteImage, factor: number): ByteImage =>
  blend(image, factor, () => 0);

export function saturate(image: ByteImage, factor: number): ByteImage {
  if (image.channels === 1) return image;
  const gray = grays(image);
  return blend(image, factor, (index) => gray[Math.floor(index / image.channels)]!);
}

export function changeContrast(image: ByteImage, factor: number): ByteImage {
  const gray = grays(image);
  const mean = f32(gray.reduce((sum, value) => sum + value, 0) / gray.length);
  return blend(image, factor, () => mean);
}

/** Away from the mean of a pixel and its neighbors; pixels of the border stay. */
export function sharpen(image: ByteImage, factor: number): ByteImage {
  const { width, height, channels, pixels } = image;
  if (width <= 2 || height <= 2) return image;
  const pitch = width * channels;
  const blurred = pixels.slice();
  for (let row = 1; row < height - 1; row++) {
    for (let index = row * pitch + channels; index < (row + 1) * pitch - channels; index++) {
      let sum = 4 * pixels[index]!;
      for (const above of [index - pitch, index, index + pitch])
        sum += pixels[above - channels]! + pixels[above]! + pixels[above + channels]!;
      blurred[index] = roundHalfToEven(sum / 13);
    }
  }
  return blend(image, factor, (index) => blurred[index]!);
}

/** Keeps the highest `bits` of each value. */
export const posterize = (image: ByteImage, bits: number): ByteImage =>
  mapBytes(image, (value) => value & -(2 ** (8 - bits)));

/** Inverts values from a threshold on. */
export const solarize = (image: ByteImage, threshold: number): ByteImage =>
  mapBytes(image, (value) => (value >= threshold ? 255 - value : value));

/** A table of new values for each channel. */
function mapChannels(image: ByteImage, tableOf: (counts: Uint32Array) => Uint8Array): ByteImage {
  const { channels, pixels } = image;
  const tables = Array.from({ length: channels }, (_, channel) => {
    const counts = new Uint32Array(256);
    for (let index = channel; index < pixels.length; index += channels) counts[pixels[index]!]!++;
    return tableOf(counts);
  });
  return mapBytes(image, (value, index) => tables[index % channels]![value]!);
}

/** The largest value that there is. Browsers of 2022 have no `findLastIndex`. */
function lastOf(counts: Uint32Array): number {
  let last = counts.length - 1;
  while (last > 0 && counts[last] === 0) last--;
  return last;
}

const UNCHANGED = Uint8Array.from({ length: 256 }, (_, value) => value);

/** Stretches each channel from 0 to 255. */
export const autocontrast = (image: ByteImage): ByteImage =>
  mapChannels(image, (counts) => {
    const smallest = counts.findIndex((count) => count > 0);
    const largest = lastOf(counts);
    if (smallest === largest) return UNCHANGED;
    // As torch divides a number by a tensor.
    const scale = f32(255 * f32(1 / (largest - smallest)));
    return UNCHANGED.map((value) => inBytes(f32((value - smallest) * scale)));
  });

/** Makes the values of each channel about equally frequent. */
export const equalize = (image: ByteImage): ByteImage =>
  mapChannels(image, (counts) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    const step = Math.floor((total - counts[lastOf(counts)]!) / 255);
    if (step === 0) return UNCHANGED;
    let before = 0;
    return UNCHANGED.map((value) => {
      const place = before;
      before += counts[value]!;
      return value === 0 ? 0 : Math.min(255, Math.floor((place + (step >> 1)) / step));
    });
  });
