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
      "[word...]",
      "a name of the language, another framework's name, " +
        "a term, or the code of a message such as " +
        "NET2002; lists everything if left out",
    )
    .action(explain);
}

/** Several words are one term: `netc explain learning rate`. */
function explain(words: readonly string[]): void {
  const word = words.join(" ").trim();
  if (word === "") {
    print(listEverything());
    return;
  }
  const page = explainWord(word);
  if (page === undefined) throw unknownWord(shortened(word));
  print(page);
}

/** Names have fewer characters; more would hide what is said about them. */
const LONGEST = 60;

const shortened = (word: string) =>
  word.length <= LONGEST ? word : `${word.slice(0, LONGEST)}...`;

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
  const help =
    known.length > 0
      ? `codes of this family are ${known.join(", ")}`
      : "`netc explain` lists all codes";
  return wrongUsage(`there is no diagnostic ${word}`, help);
}
