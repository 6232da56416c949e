import { NetcError } from "../errors.js";

/**
 * The user's data are missing or wrong. The message says what and where, the hint what to do about
 * it.
 */
export class DataError extends NetcError {
  override readonly name: string = "DataError";
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}
