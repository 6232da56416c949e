import type { Command } from "commander";
import { diagnosticCodes } from "../../compiler/diagnostics/catalogue/index.js";
import { explain, explainAll } from "../../compiler/diagnostics/explain.js";
import { wrongUsage } from "../failure.js";
import { print } from "../terminal.js";
import { describeCommand } from "./command.js";

export function explainCommand(): Command {
  return describeCommand(
    "explain",
    "Show a diagnostic's page: the rule, a wrong spec, a right one.",
    ["explain NET2002", "explain"],
  )
    .argument(
      "[code]",
      "the code in the brackets of a message, NET2002 or just 2002; all codes are listed without it",
    )
    .action(explainCode);
}

function explainCode(argument: string | undefined): void {
  if (argument === undefined) {
    print(explainAll());
    return;
  }
  const code = argument.toUpperCase().replace(/^(?=\d)/, "NET");
  const page = explain(code);
  if (page === undefined) throw wrongUsage(`there is no diagnostic ${argument}`, ...suggest(code));
  print(page);
}

/** The codes of the same family, since a mistyped number is near to none in particular. */
function suggest(code: string): string[] {
  const family = diagnosticCodes.filter((known) => known.startsWith(code.slice(0, 4)));
  const listed = family.length > 0 ? family : diagnosticCodes;
  return [`codes are ${listed.join(", ")}`];
}
