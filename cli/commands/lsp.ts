import { Option, type Command } from "commander";
import { describeCommand } from "./command.js";

export function lspCommand(): Command {
  return describeCommand(
    "lsp",
    "Run a language server for editors: diagnostics, completion, shapes and more.",
    ["lsp --stdio"],
  )
    .option("--stdio", "use standard input and output (always on)")
    .addOption(new Option("--clientProcessId <id>", "what some editors pass along").hideHelp())
    .action(lsp);
}

async function lsp(): Promise<void> {
  // The protocol's library takes a while to load; other commands do without.
  const { serve } = await import("../../editor/node/serve.js");
  serve();
}
