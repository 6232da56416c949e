/** Why a model cannot be imported, in words for whoever gave the file. Nothing is written then. */
export class ImportError extends Error {
  override readonly name = "ImportError";

  constructor(
    message: string,
    /** What to do about it, a line each. */
    readonly help: readonly string[] = [],
  ) {
    super(message);
  }
}
