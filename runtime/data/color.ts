/**
 * The color transforms in plain loops, as torchvision has them for images of floats: the reference
 * of the kernels (compiler/kernels/prepare-colors.ts).
 */
import { JITTER_PARTS } from "../../program/transforms.js";
import type { Image } from "./dataset.js";
import type { Decisions } from "./decide.js";
import { toFloats } from "./image.js";

type Color = [red: number, green: number, blue: number];

/**
 * Brightness, contrast, saturation and hue, in the order that was drawn. Gray images have no
 * saturation and no hue.
 */
export function jitterColors(image: Image, decisions: Decisions<"color_jitter">): Image {
  let current = toFloats(image);
  for (let turn = 0; turn < JITTER_PARTS.length; turn++) {
    const part = JITTER_PARTS[(decisions.order >> (2 * turn)) & 3]!;
    const amount = decisions[part];
    if (amount === (part === "hue" ? 0 : 1)) continue;
    if (image.channels === 1 && (part === "saturation" || part === "hue")) continue;
    current = mapColors(current, colorFunction(part, amount, current));
  }
  return current;
}

function colorFunction(
  part: (typeof JITTER_PARTS)[number],
  amount: number,
  image: Image,
): (color: Color) => Color {
  switch (part) {
    case "brightness":
      return (color) => blend(color, 0, amount);
    case "contrast": {
      const mean = meanLuma(image);
      return (color) => blend(color, mean, amount);
    }
    case "saturation":
      return (color) => blend(color, luma(color), amount);
    case "hue":
      return (color) => turnHue(color, amount);
  }
}

const unitRange = (value: number) => Math.min(1, Math.max(0, value));

const blend = (color: Color, gray: number, amount: number) =>
  color.map((value) => unitRange(gray + (value - gray) * amount)) as Color;

const luma = ([red, green, blue]: Color) => 0.2989 * red + 0.587 * green + 0.114 * blue;

function meanLuma({ pixels, channels }: Image): number {
  let sum = 0;
  for (let index = 0; index < pixels.length; index += channels) {
    sum += channels === 1 ? pixels[index]! : luma(colorAt(pixels, index));
  }
  return (sum * channels) / pixels.length;
}

function colorAt(pixels: Image["pixels"], index: number): Color {
  return [pixels[index]!, pixels[index + 1]!, pixels[index + 2]!];
}

/** Smith's HSV ("Color gamut transform pairs", 1978): `turn` of a whole circle of hues. */
function turnHue(color: Color, turn: number): Color {
  const [red, green, blue] = color;
  const value = Math.max(...color);
  const chroma = value - Math.min(...color);
  if (chroma <= 0) return color;
  const sixths =
    red === value
      ? (green - blue) / chroma
      : green === value
        ? 2 + (blue - red) / chroma
        : 4 + (red - green) / chroma;
  const around = (((sixths + 6 * turn) % 6) + 6) % 6;
  return [0, 4, 2].map((offset) => {
    const distance = Math.abs(((around + offset) % 6) - 3);
    return value - chroma * (1 - unitRange(distance - 1));
  }) as Color;
}

function mapColors(image: Image, change: (color: Color) => Color): Image {
  const { channels, pixels } = image;
  const result = new Float32Array(pixels.length);
  for (let index = 0; index < pixels.length; index += channels) {
    const color: Color = channels === 1 ? [pixels[index]!, 0, 0] : colorAt(pixels, index);
    const changed = change(color);
    for (let channel = 0; channel < channels; channel++)
      result[index + channel] = changed[channel]!;
  }
  return { ...image, pixels: result };
}

/** Adds a color to every pixel. */
export function shiftColors(image: Image, { red, green, blue }: Decisions<"pca_noise">): Image {
  const shift = [red, green, blue];
  const floats = toFloats(image);
  const { channels } = image;
  return {
    ...floats,
    pixels: floats.pixels.map((value, index) => value + shift[index % channels]!),
  };
}
