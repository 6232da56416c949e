import { NetcError } from "../errors.js";
import type { Culprit } from "./non-finite.js";

/** Where numbers ceased to be finite. */
export interface Divergence {
  /** The step whose loss, or whose weights, are not finite, counted from 1. */
  readonly step: number;
  /** The first dispatch that made a number that is not finite, and in which step; absent where it was not found. */
  readonly culprit?: Culprit & { readonly step: number };
  /** Steps that the state had done from which the search began: the last that is known to be good. */
  readonly good?: number;
}

/** A run cannot go on: the loss is not finite, the disk is full. The hint says what may help. */
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
