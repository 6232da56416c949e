import { Command, CommanderError } from "commander";
import { commands } from "./commands/index.js";
import { version } from "./package.js";
import { say } from "./terminal.js";
import { reportError } from "./report.js";
import { ExitCode } from "./failure.js";

/**
 * Runs one command line (without `node` and the script's name) and returns the process's exit code.
 */
export async function run(args: readonly string[]): Promise<ExitCode> {
  try {
    await (await commandLine(args)).parseAsync(args, { from: "user" });
    return ExitCode.done;
  } catch (error) {
    // Commander has said what is wrong with the usage, or printed the help that was asked for.
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? ExitCode.done : ExitCode.wrongUsage;
    }
    return reportError(error);
  }
}

async function commandLine(args: readonly string[]): Promise<Command> {
  const program = new Command("netc")
    .description("Compiles network specs to WebGPU, and trains and runs them.")
    .version(version(), VERSION_FLAGS.join(", "))
    .usage("COMMAND ...")
    .showHelpAfterError("(`--help` after a command lists its arguments and flags)")
    .exitOverride()
    .configureOutput({ writeErr: say })
    .addHelpText("after", "\nExample:\n  $ netc train specs/digits.net");
  for (const command of await loadCommands(args)) {
    program.addCommand(command.copyInheritedSettings(program));
  }
  return program;
}

const VERSION_FLAGS = ["-V", "--version"];

/** The one that is called; all of them for help, and where a wrong name has a nearest. */
async function loadCommands([name = ""]: readonly string[]): Promise<readonly Command[]> {
  if (VERSION_FLAGS.includes(name)) return [];
  const called = Object.hasOwn(commands, name) ? [commands[name]!] : Object.values(commands);
  return Promise.all(called.map((load) => load()));
}
