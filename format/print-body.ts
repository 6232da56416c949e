import { doc, util, type AstPath, type Doc, type ParserOptions } from "prettier";
import type { Chain } from "../grammar/index.js";
import { paddings, type Cell } from "./align.js";
import { containsComments, hasLeadingComments } from "./comments.js";
import type { Node } from "./nodes.js";

const { group, hardline, indent, line } = doc.builders;

/** Chains longer than this are not aligned: they are broken anyway. */
const WIDEST_IN_TABLE = 100;

/** What a statement's body tells it: the number of spaces after its first cell. */
export interface Alignment {
  readonly padding: number;
  /** Of `metric NAME =`, whose names are a column, too. */
  readonly namePadding: number;
}

export const NO_PADDING: Alignment = { padding: 0, namePadding: 0 };

export type PrintAligned = (path: AstPath, alignment?: Alignment) => Doc;

type Statement = Extract<Node, { readonly kind: string }>;

/** Statements of a body, one a line, with single blank lines where the text has some. */
export function printStatements(
  path: AstPath,
  key: string,
  options: ParserOptions<Node>,
  print: PrintAligned,
  { isSpec = false } = {},
): Doc {
  const statements = (path.node as Readonly<Record<string, readonly Statement[]>>)[key]!;
  const cells = (cell: (statement: Statement, flat: () => string) => Omit<Cell, "isApart">) =>
    path.map((child, index) => {
      const flat = () =>
        flatText(
          (child as AstPath).call((element) => print(element), "elements", 0),
          options,
        );
      const before = statements[index - 1];
      const isApart = !before || isSeparate(before, statements[index]!, options);
      return { ...cell(statements[index]!, flat), isApart };
    }, key);
  const first = paddings(cells(firstCell));
  const names = paddings(cells((statement) => metricCell(statement)));
  return path.map((child, index) => {
    const alignment = { padding: first[index]!, namePadding: names[index]! };
    const printed = print(child, alignment);
    const next = statements[index + 1];
    return next
      ? [printed, hardline, blankLine(statements[index]!, next, options, isSpec)]
      : printed;
  }, key);
}

function blankLine(
  statement: Statement,
  next: Statement,
  options: ParserOptions<Node>,
  isSpec: boolean,
): Doc {
  const isEmpty = util.isNextLineEmpty(options.originalText, statement.span.end.offset);
  const belongTogether =
    statement.kind === next.kind && ["const", "fn", "import"].includes(next.kind);
  return isEmpty || (isSpec && !belongTogether) ? hardline : "";
}

/** Whether there is a blank line or a comment between two statements. */
function isSeparate(
  before: Statement,
  statement: Statement,
  { originalText }: ParserOptions<Node>,
): boolean {
  const isEmpty = util.isNextLineEmpty(originalText, before.span.end.offset);
  return isEmpty || hasLeadingComments(statement);
}

/**
 * The first column: a keyword, a name before `=`, or a layer before the first arrow.
 */
function firstCell(statement: Statement, flat: () => string): Omit<Cell, "isApart"> {
  switch (statement.kind) {
    case "input":
    case "target":
      return { group: "value", width: statement.kind.length };
    case "loss":
    case "metric":
      return { group: "score", width: statement.kind.length };
    case "const":
    case "setting":
      return { group: statement.kind, width: statement.name.name.length };
    case "chain":
      return chainCell(statement, flat);
    default:
      return { group: undefined, width: 0 };
  }
}

/** Chains that begin with the same layer are rows of a table. */
function chainCell(chain: Chain, flat: () => string): Omit<Cell, "isApart"> {
  const [first] = chain.elements;
  const isSimple =
    chain.elements.length > 1 &&
    chain.elements.every(({ kind }) => kind === "call") &&
    !containsComments(chain);
  if (!isSimple || first?.kind !== "call") return { group: undefined, width: 0 };
  const { length } = flat();
  return { group: length > WIDEST_IN_TABLE ? undefined : first.callee.name, width: length };
}

function metricCell(statement: Statement): Omit<Cell, "isApart"> {
  if (statement.kind !== "metric") return { group: undefined, width: 0 };
  return { group: "metric", width: statement.name.name.length };
}

function flatText(printed: Doc, options: ParserOptions<Node>): string {
  return doc.printer.printDocToString(printed, { ...options, printWidth: 10_000 }).formatted;
}

export interface BodyOptions {
  /** Whether a body on one line may stay there. */
  readonly mayStayOnLine: boolean;
}

/**
 * `{ ... }` around statements. A body on one line that fits stays there if it is a single
 * statement.
 */
export function printBody(
  path: AstPath,
  key: string,
  options: ParserOptions<Node>,
  print: PrintAligned,
  { mayStayOnLine }: BodyOptions,
): Doc {
  const node = path.node as Statement & { readonly comments?: unknown };
  const members = (node as unknown as Readonly<Record<string, readonly Statement[]>>)[key]!;
  if (members.length === 0) return node.comments ? printEmpty(path) : "{ }";
  const isOne = members.length === 1 || node.kind === "concat";
  if (mayStayOnLine && isOnLine(node) && isOne && !members.some(containsComments)) {
    const inside = path.map((child) => print(child), key);
    return inBraces(doc.builders.join(line, inside), { isOnLine: true });
  }
  return inBraces(printStatements(path, key, options, print), { isOnLine: false });
}

/** Whether the text has a node on a single line. */
export function isOnLine({ span }: Node): boolean {
  return span.start.line === span.end.line;
}

/** `{ ... }`, on one line if it was and fits. */
export function inBraces(inside: Doc, { isOnLine }: { readonly isOnLine: boolean }): Doc {
  const edge = isOnLine ? line : hardline;
  return group(["{", indent([edge, inside]), edge, "}"]);
}

/** Nothing but comments, which belong to the body then. */
function printEmpty(path: AstPath): Doc {
  const lines: Doc[] = [];
  path.each((comment) => {
    const { leading, trailing, text } = comment.node as PrettierComment;
    if (leading || trailing) return;
    (comment.node as PrettierComment).printed = true;
    lines.push([hardline, text]);
  }, "comments");
  return lines.length === 0 ? "{ }" : ["{", indent(lines), hardline, "}"];
}

/** A comment with what prettier writes on it. */
interface PrettierComment {
  readonly text: string;
  readonly leading?: boolean;
  readonly trailing?: boolean;
  printed?: boolean;
}
