/**
 * The canonical layout of specs: a prettier plugin (`netc/prettier`), and a function on the same
 * printer.
 */
import { format, type Parser, type Plugin, type Printer } from "prettier";
import { placeAtLineEnd, placeOnOwnLine, printComment } from "./comments.js";
import { keysOf, type Node, takesComments } from "./nodes.js";
import { parse } from "./parse.js";
import { print } from "./print.js";

/** Characters of a line. */
export const PRINT_WIDTH = 120;

export const LANGUAGES: Plugin["languages"] = [
  { name: "netc", parsers: ["netc"], extensions: [".net"], vscodeLanguageIds: ["netc"] },
];

const startOf = ({ span }: Node) => span.start.offset;
const endOf = ({ span }: Node) => span.end.offset;

const parser: Parser<Node> = { parse, astFormat: "netc", locStart: startOf, locEnd: endOf };

const printer: Printer<Node> = {
  print: print as Printer<Node>["print"],
  printComment: printComment as unknown as NonNullable<Printer<Node>["printComment"]>,
  getVisitorKeys: (node) => [...keysOf(node)],
  canAttachComment: (node) => takesComments(node),
  isBlockComment: () => false,
  handleComments: { endOfLine: placeAtLineEnd as never, ownLine: placeOnOwnLine as never },
};

export const parsers: Plugin["parsers"] = { netc: parser as Parser };
export const printers: Plugin["printers"] = { netc: printer as Printer };
export const defaultOptions: Plugin["defaultOptions"] = { printWidth: PRINT_WIDTH, tabWidth: 2 };

const plugin: Plugin = { languages: LANGUAGES, parsers, printers, defaultOptions };

/**
 * A spec in its canonical layout, comments kept. Throws a SyntaxError for a text that does not
 * parse.
 */
export function formatSpec(text: string): Promise<string> {
  const layout = { printWidth: PRINT_WIDTH, tabWidth: 2, endOfLine: "lf" } as const;
  return format(text, { parser: "netc", plugins: [plugin], ...layout });
}
