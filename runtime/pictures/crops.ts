/**
 * Checks of pictures of which `ten_crop` makes ten images. scripts/build.mjs leaves this file out
 * of standalone modules without it.
 */
import type { Preparation, Program } from "../../program/program.js";
import { imagesOf } from "../../program/transforms.js";
import { InputError } from "../errors.js";
import { requireScores } from "../evaluation/probabilities.js";

/**
 * Throws InputError where `ten_crop` makes more images of a call's pictures than it has rows for,
 * and where there are no scores to average.
 */
export function checkCrops(
  program: Program,
  { crops, transforms }: Preparation,
  rowsOfEach: number,
): void {
  const images = imagesOf(transforms);
  if (images === 1) return;
  if (rowsOfEach < images) {
    throw new InputError(
      "`ten_crop` makes ten images of each picture: " +
        (crops
          ? "only `predict` and `classify` average them, so use `center_crop` instead, " +
            "or `netc eval`"
          : `compile ${program.source.file} again, to average them`),
    );
  }
  requireScores(program);
}
