import { Command, CommanderError } from "commander";
import { commands } from "./commands/index.js";
import { version } from "./package.js";
import { reportError } from "./report.js";
import { ExitCode } from "./failure.js";

/** Runs one command line (without `node` and the script's name) and returns the process's exit code. */
export async function run(args: readonly string[]): Promise<ExitCode> {
  try {
    await commandLine().parseAsync(args, { from: "user" });
    return ExitCode.done;
  } catch (error) {
    // Commander has said what is wrong with the usage, or printed the help that was asked for.
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? ExitCode.done : ExitCode.wrongUsage;
    }
    return reportError(error);
  }
}

function commandLine(): Command {
  const program = new Command("netc")
    .description("Compiles network specs to WebGPU, and trains and runs them.")
    .version(version(), "-V, --version")
    .usage("COMMAND ...")
    .showHelpAfterError("(`--help` after a command lists its arguments and flags)")
    .exitOverride()
    .addHelpText("after", "\nExample:\n  $ netc train specs/digits.net");
  for (const create of commands) {
    const command = create();
    program.addCommand(command.copyInheritedSettings(program));
  }
  return program;
}
