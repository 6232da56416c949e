import { Command } from "commander";

/** A command with its summary and an example for `--help`. Every command file starts from here. */
export function describeCommand(
  name: string,
  description: string,
  examples: readonly string[],
): Command {
  const title = examples.length === 1 ? "Example" : "Examples";
  const lines = examples.map((example) => `  $ netc ${example}`);
  return new Command(name)
    .description(description)
    .addHelpText("after", `\n${title}:\n${lines.join("\n")}`);
}
