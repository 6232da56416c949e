/** What a network with boxes finds in pictures, by name. */
import type { Program } from "../../program/program.js";
import { InputError } from "../errors.js";
import { firstOf } from "../evaluation/probabilities.js";
import { assertKnown, assertNumber, type OptionNames } from "../options.js";
import type { Picture } from "../pictures/picture.js";
import { boxesIn, gridOf, type Box, type DetectionRule } from "./boxes.js";

/** A box that a network found. */
export interface Detection {
  /** As the weights file or the module names the class; `class 3` where neither does. */
  readonly name: string;
  /** Of the class among the network's classes, from 0. */
  readonly index: number;
  /** The probability that there is a box, times that of its class. */
  readonly score: number;
  /** In shares of the network's input, from its upper left corner. */
  readonly box: Box;
}

/** What `detect` keeps unless told. */
export const DETECTION_RULE: DetectionRule = { threshold: 0.3, overlap: 0.5 };

/** Options of `detect`. */
export interface DetectOptions {
  /** The least score of a box; 0.3 unless given. */
  readonly threshold?: number;
  /**
   * Of two boxes of a class whose intersection over union is larger, the more certain one stays;
   * 0.5 unless given.
   */
  readonly overlap?: number;
}

const DETECT_OPTIONS: OptionNames<DetectOptions> = { threshold: true, overlap: true };

/** Throws InputError for options that are unknown, and for numbers that are not from 0 to 1. */
function detectionRule(options: DetectOptions): DetectionRule {
  assertKnown(options, DETECT_OPTIONS, "detect");
  const { threshold = DETECTION_RULE.threshold, overlap = DETECTION_RULE.overlap } = options;
  assertNumber(threshold, { minimum: 0, maximum: 1 }, "`threshold` of `detect`");
  assertNumber(overlap, { minimum: 0, maximum: 1 }, "`overlap` of `detect`");
  return { threshold, overlap };
}

/** What `detect` uses of a network. */
export interface Detecting {
  readonly program: Program;
  readonly classes: readonly string[] | undefined;
  predict(images: Float32Array | readonly Picture[]): Promise<unknown>;
}

/**
 * The boxes in a picture, or in the images of an array, a list for each; the most certain ones
 * first. Throws InputError for a network without boxes, for wrong options, and for an output that
 * is not finite.
 */
export async function detect(
  network: Detecting,
  images: Float32Array | readonly Picture[],
  options: DetectOptions = {},
): Promise<readonly (readonly Detection[])[]> {
  const grid = gridOf(network.program);
  if (!grid) {
    throw new InputError(
      `model \`${network.program.model}\` has no target of boxes: there is nothing to detect`,
    );
  }
  const rule = detectionRule(options);
  const output = firstOf(network.program, await network.predict(images));
  const each = (5 + grid.classes) * grid.height * grid.width;
  return Array.from({ length: output.length / each }, (_, image) => {
    const row = output.subarray(image * each, (image + 1) * each);
    if (!row.every(Number.isFinite)) {
      throw new InputError("the network's output is not finite: the weights may have diverged");
    }
    return boxesIn(row, grid, rule).map(({ index, score, box }) => {
      return { name: network.classes?.[index] ?? `class ${index}`, index, score, box };
    });
  });
}
