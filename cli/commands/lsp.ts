import { Option, type Command } from "commander";
import { describeCommand } from "./command.js";

export function lspCommand(): Command {
  return describeCommand(
    "lsp",
    "Serve an editor: diagnostics, completion, shapes and more while you type.",
    ["lsp --stdio"],
  )
    .option("--stdio", "talk through the standard streams, which it does anyway")
    .addOption(new Option("--clientProcessId <id>", "what some editors pass along").hideHelp())
    .action(lsp);
}

async function lsp(): Promise<void> {
  // The protocol's library takes a while to load; other commands do without.
  const { serve } = await import("../../editor/node/serve.js");
  serve();
}
