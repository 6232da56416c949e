import { NetcError } from "../errors.js";

/** A run cannot go on: the loss is not finite, the disk is full. The hint says what may help. */
export class RunFailedError extends NetcError {
  override readonly name: string = "RunFailedError";
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}
