import { LARGEST_HALF } from "../../program/half.js";
import { NetcError } from "../errors.js";
import type { Culprit } from "./non-finite.js";

/** Where numbers ceased to be finite. */
export interface Divergence {
  /** The step whose loss, or whose weights, are not finite, counted from 1. */
  readonly step: number;
  /**
   * The first dispatch that made a number that is not finite, and in which step; absent where it
   * was not found.
   */
  readonly culprit?: Culprit & { readonly step: number };
  /**
   * Steps that the state had done from which the search began: the last that is known to be good.
   */
  readonly good?: number;
}

/** The dispatch in words, with more on where it was. */
export function describeCulprit({ label, location, leavesHalf }: Culprit, place = ""): string {
  const where = `\`${label}\`${place} (line ${location.line})`;
  return leavesHalf
    ? `${where} is the first to make numbers beyond ${LARGEST_HALF}, the largest that f16 stores`
    : `the first numbers that are not finite come from ${where}`;
}

/** What helps where numbers do not fit into 16 bits. */
export const HALF_HINT =
  "train with `precision = f32`, or keep the numbers small: " +
  "normalize the images, and use batchnorm";

/** A run cannot continue: the loss is not finite, the disk is full. The hint says what may help. */
export class RunFailedError extends NetcError {
  override readonly name: string = "RunFailedError";
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** Its numbers are not finite any more. */
export class DivergedError extends RunFailedError {
  override readonly name: string = "DivergedError";

  constructor(
    message: string,
    hint: string,
    readonly divergence: Divergence,
  ) {
    super(message, hint);
  }
}

/** The loss over a split is not finite. */
export class NotFiniteEvaluationError extends RunFailedError {
  override readonly name: string = "NotFiniteEvaluationError";

  constructor(
    message: string,
    /** The first dispatch that made a number that is not finite; absent where it was not found. */
    readonly culprit: Culprit | undefined,
  ) {
    super(message, culprit?.leavesHalf ? HALF_HINT : EVALUATION_HINT);
  }
}

const EVALUATION_HINT =
  "the weights may have diverged; " +
  "or the images are not normalized as those that they were trained on";
