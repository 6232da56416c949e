import type { Command } from "commander";
import { diagnosticCodes } from "../../compiler/diagnostics/catalogue/index.js";
import { explainWord, listEverything, nearestWord } from "../../compiler/reference/explain.js";
import { wrongUsage } from "../failure.js";
import { print } from "../terminal.js";
import { describeCommand } from "./command.js";

export function explainCommand(): Command {
  return describeCommand(
    "explain",
    "Explain a layer, loss, optimizer, setting, term or diagnostic.",
    ["explain conv", "explain momentum", "explain NET2002", "explain"],
  )
    .argument(
      "[word]",
      "a name of the language, another framework's name, " +
        "a term, or the code of a message such as " +
        "NET2002; everything is listed without it",
    )
    .action(explain);
}

function explain(word: string | undefined): void {
  if (word === undefined) {
    print(listEverything());
    return;
  }
  const page = explainWord(word);
  if (page === undefined) throw unknownWord(word);
  print(page);
}

function unknownWord(word: string): Error {
  if (/^(NET)?\d+$/i.test(word)) return unknownCode(word);
  const nearest = nearestWord(word);
  const question = nearest === undefined ? "" : `; did you mean ${nearest}?`;
  return wrongUsage(
    `nothing is known of ${word}${question}`,
    "`netc explain` lists layers, settings, terms and codes",
  );
}

/** With the codes of the same family, since a mistyped number is near to none in particular. */
function unknownCode(word: string): Error {
  const family = word
    .toUpperCase()
    .replace(/^(?=\d)/, "NET")
    .slice(0, 4);
  const known = diagnosticCodes.filter((code) => code.startsWith(family));
  const listed = known.length > 0 ? known : diagnosticCodes;
  return wrongUsage(`there is no diagnostic ${word}`, `codes are ${listed.join(", ")}`);
}
