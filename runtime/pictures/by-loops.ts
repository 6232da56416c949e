/** Decoded pictures by the plain loops of transforms.ts: always in Node, seldom in browsers. */
import type { Preparation } from "../../program/program.js";
import type { Image } from "../data/dataset.js";
import { DataError } from "../data/error.js";
import { checkSize, deviceStaging } from "../data/stage.js";
import { applyTransforms } from "../data/transforms.js";
import { InputError } from "../errors.js";
import { keyOf, transformsBefore } from "./eval-split.js";
import type { PreparedPictures } from "./picture.js";

/** Decoded pictures, staged for the device by the plain loops of transforms.ts. */
export function stageImages(
  preparation: Preparation,
  images: readonly Image[],
  names: readonly string[],
): PreparedPictures {
  const staging = deviceStaging("eval", preparation);
  const batch = staging.start(images.length);
  images.forEach((image, index) => {
    asInputError(() => checkSize(names[index]!, image, staging));
    batch.write(index, image, keyOf(index));
  });
  return batch.finish(images.length, undefined) as PreparedPictures;
}

/** A decoded picture after the transforms before the device's. */
export const transformBefore = (preparation: Preparation, image: Image, index: number): Image =>
  asInputError(() => applyTransforms(image, transformsBefore(preparation), keyOf(index)));

/** What is wrong with an argument is an InputError, also where transforms found it. */
export function asInputError<Result>(action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new InputError(error.message + (error.hint ? `: ${error.hint}` : ""));
  }
}
