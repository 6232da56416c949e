/**
 * Bilinear resizing with antialiasing, as Pillow and torchvision do it: a triangle filter that widens with the
 * reduction, applied to rows and then to columns, bytes rounded after each. The results are Pillow's but for rare
 * differences of 1 in a byte, where its fixed-point coefficients round the other way.
 */
import type { Image } from "./dataset.js";
import { blankImage } from "./image.js";

/** For each output position, the first input that counts and the weights from there on. */
interface Filter {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `span` weights for each output. */
  readonly weights: Float64Array;
  readonly span: number;
}

/** `image` at another size, in pixels. */
export function resizeImage(image: Image, size: { width: number; height: number }): Image {
  const narrowed = image.width === size.width ? image : resizeRows(image, size.width);
  return narrowed.height === size.height ? narrowed : resizeColumns(narrowed, size.height);
}

function triangleFilter(inputs: number, outputs: number): Filter {
  const scale = inputs / outputs;
  const support = Math.max(scale, 1);
  const span = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(outputs);
  const count = new Int32Array(outputs);
  const weights = new Float64Array(outputs * span);
  for (let output = 0; output < outputs; output++) {
    const centre = (output + 0.5) * scale;
    const start = Math.max(0, Math.floor(centre - support + 0.5));
    const end = Math.min(inputs, Math.floor(centre + support + 0.5));
    let total = 0;
    for (let input = start; input < end; input++) {
      const weight = Math.max(0, 1 - Math.abs((input + 0.5 - centre) / support));
      weights[output * span + input - start] = weight;
      total += weight;
    }
    for (let index = 0; index < end - start; index++) weights[output * span + index]! /= total;
    first[output] = start;
    count[output] = end - start;
  }
  return { first, count, weights, span };
}

function resizeRows(image: Image, width: number): Image {
  const result = blankImage(image, width, image.height);
  const filter = triangleFilter(image.width, width);
  const { channels } = image;
  for (let y = 0; y < image.height; y++) {
    const source = y * image.width * channels;
    const target = y * width * channels;
    for (let channel = 0; channel < channels; channel++) {
      applyFilter(filter, {
        source: image.pixels,
        sourceStart: source + channel,
        target: result.pixels,
        targetStart: target + channel,
        stride: channels,
      });
    }
  }
  return result;
}

function resizeColumns(image: Image, height: number): Image {
  const result = blankImage(image, image.width, height);
  const filter = triangleFilter(image.height, height);
  const stride = image.width * image.channels;
  for (let column = 0; column < stride; column++) {
    applyFilter(filter, {
      source: image.pixels,
      sourceStart: column,
      target: result.pixels,
      targetStart: column,
      stride,
    });
  }
  return result;
}

interface Line {
  readonly source: Image["pixels"];
  readonly sourceStart: number;
  readonly target: Image["pixels"];
  readonly targetStart: number;
  /** Distance between neighbours on the line, alike in source and target. */
  readonly stride: number;
}

function applyFilter(filter: Filter, line: Line): void {
  const { first, count, weights, span } = filter;
  const { source, target, stride } = line;
  // Storing into bytes truncates; a convex combination of bytes cannot leave their range.
  const rounding = target instanceof Uint8Array ? 0.5 : 0;
  for (let output = 0; output < first.length; output++) {
    let sum = rounding;
    let position = line.sourceStart + first[output]! * stride;
    const end = output * span + count[output]!;
    for (let index = output * span; index < end; index++) {
      sum += source[position]! * weights[index]!;
      position += stride;
    }
    target[line.targetStart + output * stride] = sum;
  }
}
