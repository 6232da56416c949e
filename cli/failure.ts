/** How a command ends when it does not succeed, and what the user reads about it. */

export const ExitCode = {
  done: 0,
  /** The spec or the data is wrong. */
  wrongInput: 1,
  /** Unknown flags and commands, values out of range, missing arguments. */
  wrongUsage: 2,
  noAdapter: 3,
  /** Device lost for good, loss not finite, disk full, or a mistake of netc's own. */
  runFailed: 4,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/**
 * Something the user can act on: shown as `error: MESSAGE` and `help:` lines, never with a stack.
 */
export class Failure extends Error {
  override readonly name = "Failure";

  constructor(
    readonly exitCode: ExitCode,
    message: string,
    readonly help: readonly string[] = [],
  ) {
    super(message);
  }
}

export const wrongInput = (message: string, ...help: string[]): Failure =>
  new Failure(ExitCode.wrongInput, message, help);

export const wrongUsage = (message: string, ...help: string[]): Failure =>
  new Failure(ExitCode.wrongUsage, message, help);

/** Ends a command whose diagnostics have been shown already. */
export class Reported extends Error {
  override readonly name = "Reported";

  constructor(
    readonly exitCode: ExitCode,
    /** Those whose change may mend it. */
    readonly files: readonly string[] = [],
  ) {
    super("already reported");
  }
}
