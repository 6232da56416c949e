/** Operations on decoded images. Each returns a new image; none changes its argument. */
import { sidesOf, type CropSize, type DECISIONS } from "../../program/transforms.js";
import type { Image } from "./dataset.js";

/** An image of the given size with the kind of pixels of `like`, all zero. */
export function blankImage(like: Image, width: number, height: number): Image {
  const length = width * height * like.channels;
  const pixels =
    like.pixels instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
  return { width, height, channels: like.channels, pixels, maximum: like.maximum };
}

export interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The pixels under a rectangle, which may reach beyond the image: zeros there. */
export function cropImage(image: Image, area: Rectangle): Image {
  const result = blankImage(image, area.width, area.height);
  const left = Math.max(0, area.left);
  const right = Math.min(image.width, area.left + area.width);
  const top = Math.max(0, area.top);
  const bottom = Math.min(image.height, area.top + area.height);
  if (left >= right) return result;
  const channels = image.channels;
  for (let y = top; y < bottom; y++) {
    const from = (y * image.width + left) * channels;
    const row = image.pixels.subarray(from, from + (right - left) * channels);
    result.pixels.set(row, ((y - area.top) * area.width + left - area.left) * channels);
  }
  return result;
}

/** A part of the image of a size, which may reach beyond it. */
export function cropAt(
  image: Image,
  { size }: { readonly size: CropSize },
  { left, top }: { readonly left: number; readonly top: number },
): Image {
  return cropImage(image, { left, top, ...sidesOf(size) });
}

/** Where pixels come from, in whole numbers: DECISIONS of program/transforms.ts says how. */
export type AffinePlaces = Readonly<Record<keyof (typeof DECISIONS)["affine"], number>>;

/**
 * The image whose pixels are the nearest ones of `image` at the places that `places` says, and
 * `outside` where there are none.
 */
export function affineImage(image: Image, places: AffinePlaces, outside = 0): Image {
  const { width, height, channels } = image;
  const { a, b, c, d, e, f, bits } = places;
  const pixels = image.pixels.slice().fill(outside);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [x, y] = [2 * column - (width - 1), 2 * row - (height - 1)];
      const [fromX, fromY] = [(a * x + b * y + c) >> bits, (d * x + e * y + f) >> bits];
      if (fromX < 0 || fromY < 0 || fromX >= width || fromY >= height) continue;
      const [to, from] = [(row * width + column) * channels, (fromY * width + fromX) * channels];
      for (let each = 0; each < channels; each++) pixels[to + each] = image.pixels[from + each]!;
    }
  }
  return { ...image, pixels };
}

/** Python's rounding, on which torchvision's transforms rest. */
export function roundHalfToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** Mirrored left to right, or top to bottom. */
export function flipImage(image: Image, axis: "horizontal" | "vertical"): Image {
  return axis === "horizontal" ? flipRows(image) : flipColumns(image);
}

function flipColumns(image: Image): Image {
  const { width, height, channels, pixels } = image;
  const result = blankImage(image, width, height);
  const length = width * channels;
  for (let y = 0; y < height; y++) {
    const row = pixels.subarray(y * length, (y + 1) * length);
    result.pixels.set(row, (height - 1 - y) * length);
  }
  return result;
}

function flipRows(image: Image): Image {
  const { width, height, channels, pixels } = image;
  const result = blankImage(image, width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * channels;
      const to = (y * width + width - 1 - x) * channels;
      for (let channel = 0; channel < channels; channel++) {
        result.pixels[to + channel] = pixels[from + channel]!;
      }
    }
  }
  return result;
}

/** ITU-R 601 luma, in 16-bit fixed point, as image libraries compute it. */
const LUMA = [19595 / 65536, 38470 / 65536, 7471 / 65536] as const;

/**
 * Gray from color by luma, color from gray by repetition; the image itself where nothing changes.
 */
export function convertChannels(image: Image, channels: 1 | 3): Image {
  if (image.channels === channels) return image;
  const { width, height, pixels, maximum } = image;
  const count = width * height;
  const result = blankImage({ ...image, channels }, width, height).pixels;
  const half = result instanceof Uint8Array ? 0.5 : 0;
  for (let index = 0; index < count; index++) {
    if (channels === 3) {
      result.fill(pixels[index]!, index * 3, index * 3 + 3);
    } else {
      const [red, green, blue] = [
        pixels[index * 3]!,
        pixels[index * 3 + 1]!,
        pixels[index * 3 + 2]!,
      ];
      result[index] = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue + half;
    }
  }
  return { width, height, channels, pixels: result, maximum };
}

/** The same picture with full intensity as 1. */
export function toFloats(image: Image): Image {
  if (image.maximum === 1 && image.pixels instanceof Float32Array) return image;
  const { pixels, maximum } = image;
  return { ...image, pixels: Float32Array.from(pixels, (value) => value / maximum), maximum: 1 };
}

/** Images of one width, one below the other. */
export function stackImages(images: readonly Image[]): Image {
  const [first] = images as [Image];
  const height = images.reduce((sum, image) => sum + image.height, 0);
  const result = blankImage(first, first.width, height);
  let offset = 0;
  for (const { pixels } of images) {
    result.pixels.set(pixels, offset);
    offset += pixels.length;
  }
  return result;
}

/** Planes (CHW) as some files hold them, to interleaved pixels. */
export function interleave(planes: Image["pixels"], channels: number): Image["pixels"] {
  const count = planes.length / channels;
  // Not `slice`: a Buffer's shares its memory.
  const { length } = planes;
  const pixels = planes instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
  for (let channel = 0; channel < channels; channel++) {
    for (let index = 0; index < count; index++) {
      pixels[index * channels + channel] = planes[channel * count + index]!;
    }
  }
  return pixels;
}

/** Writes an image as planes of floats, full intensity as 1, into `target` from `offset`. */
export function writePlanes(image: Image, target: Float32Array, offset: number): void {
  const { channels, pixels, maximum } = image;
  const count = image.width * image.height;
  for (let channel = 0; channel < channels; channel++) {
    const plane = offset + channel * count;
    for (let index = 0; index < count; index++) {
      target[plane + index] = pixels[index * channels + channel]! / maximum;
    }
  }
}
