/** What a user reads when a command fails, and the exit code that goes with it. */
import { DataError } from "../runtime/data/error.js";
import { DeviceLostError, NetcError, NoAdapterError } from "../runtime/errors.js";
import { isOutOfFiles, OUT_OF_FILES } from "../runtime/node/read-file.js";
import { RunFailedError } from "../runtime/training/error.js";
import { ExitCode, Failure, Reported } from "./failure.js";
import { sayOwn, styled } from "./terminal.js";

interface ErrorReport {
  readonly exitCode: ExitCode;
  readonly message: string;
  readonly help: readonly string[];
}

/** Says on stderr what went wrong and returns the exit code. */
export function reportError(error: unknown): ExitCode {
  if (error instanceof Reported) return error.exitCode;
  const report = describeError(error);
  sayOwn(`${styled("red", "error", process.stderr)}: ${report.message}`);
  for (const line of report.help) sayOwn(`${styled("cyan", "help", process.stderr)}: ${line}`);
  if (process.env.NETC_DEBUG === "1" && error instanceof Error) sayOwn(error.stack ?? "no stack");
  return report.exitCode;
}

/**
 * Errors of netc's parts in words; anything that none of them meant to throw is a mistake of netc's
 * own.
 */
export function describeError(error: unknown): ErrorReport {
  if (error instanceof Failure) return error;
  if (error instanceof NetcError || error instanceof DataError) {
    return { exitCode: exitCodeOf(error), message: error.message, help: hintOf(error) };
  }
  if (isOutOfFiles(error)) {
    return { exitCode: ExitCode.runFailed, message: OUT_OF_FILES, help: [] };
  }
  return describeMissingPackage(error) ?? describeInternalError(error);
}

/** A package that npm leaves out with `--omit=optional`; undefined for another error. */
function describeMissingPackage(error: unknown): ErrorReport | undefined {
  const { code, message = "" } = Object(error) as { readonly code?: string; message?: string };
  const [, name] = /Cannot find (?:package|module) '([^'./][^']*)'/.exec(message) ?? [];
  if (!/^(ERR_)?MODULE_NOT_FOUND$/.test(code ?? "") || name === undefined) return undefined;
  return {
    exitCode: ExitCode.runFailed,
    message: `this command needs the package \`${name}\`, which is not installed`,
    help: [`npm install ${name}, or install netc without \`--omit=optional\``],
  };
}

function exitCodeOf(error: Error): ExitCode {
  if (error instanceof NoAdapterError) return ExitCode.noAdapter;
  const failed = error instanceof RunFailedError || error instanceof DeviceLostError;
  return failed ? ExitCode.runFailed : ExitCode.wrongInput;
}

function hintOf(error: Error): string[] {
  return "hint" in error && typeof error.hint === "string" ? [error.hint] : [];
}

function describeInternalError(error: unknown): ErrorReport {
  return {
    exitCode: ExitCode.runFailed,
    message:
      "NET9001: netc made a mistake: " +
      `${error instanceof Error ? error.message : String(error)}`,
    help: [
      "this is a fault of netc, not of your spec: please report it with the spec and the command",
      ...(process.env.NETC_DEBUG === "1" ? [] : ["NETC_DEBUG=1 shows where it happened"]),
    ],
  };
}
