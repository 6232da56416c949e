/** Decoded pictures by the plain loops of transforms.ts: always in Node, seldom in browsers. */
import type { Preparation } from "../../program/program.js";
import { imagesOf } from "../../program/transforms.js";
import type { Image } from "../data/dataset.js";
import { DataError } from "../data/error.js";
import { checkSize } from "../data/check-size.js";
import { Draws } from "../data/draws.js";
import { applyPlainly } from "../data/transforms.js";
import { InputError } from "../errors.js";
import { keyOf, transformsBefore } from "./eval-split.js";
import type { PreparedPictures } from "./picture.js";

/**
 * Decoded pictures after the transforms before the device's, staged for the device. Those of
 * `ten_crop` have ten images each, one below the other.
 */
export function stageImages(
  preparation: Preparation,
  pictures: readonly Image[],
  names: readonly string[],
): PreparedPictures {
  const { staged: shape, transforms, first } = preparation;
  const images = imagesOf(transforms.slice(0, first));
  const staged = new Uint8Array(pictures.length * images * shape.slot);
  const draws = new Draws(preparation, pictures.length * images);
  pictures.forEach((picture, index) => {
    asInputError(() => checkSize(names[index]!, picture, { shape, images }));
    const { pixels, maximum } = picture;
    const each = pixels.length / images;
    for (let part = 0; part < images; part++) {
      const slot = index * images + part;
      staged.set(pixels.subarray(part * each, (part + 1) * each), slot * shape.slot);
      draws.write(slot, 1 / maximum, keyOf(index));
    }
  });
  return { split: "eval", staged, draws: draws.values };
}

/** A decoded picture after the transforms before the device's. */
export const transformBefore = (preparation: Preparation, image: Image, index: number): Image =>
  asInputError(() => applyPlainly(image, transformsBefore(preparation), keyOf(index)));

/** What is wrong with an argument is an InputError, also where transforms found it. */
export function asInputError<Result>(action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new InputError(error.message + (error.hint ? `: ${error.hint}` : ""));
  }
}
