import { doc, type AstPath, type Doc } from "prettier";
import type { BinaryExpression, CallExpression, Expression } from "../grammar/index.js";
import { containsComments, hasLeadingComments } from "./comments.js";
import type { Node } from "./nodes.js";

const { group, hardline, indent, join, line, softline, fill } = doc.builders;

/** Prints one child of a node. */
export type PrintChild = (path: AstPath) => Doc;
type PathOf<Kind extends Expression["kind"]> = AstPath<
  Extract<Expression, { readonly kind: Kind }>
>;

/** `name(argument, ...) as alias`; arguments that do not fit are on separate lines. */
export function printCall(path: AstPath<CallExpression>, print: PrintChild): Doc {
  const { callee, hasParentheses, alias } = path.node;
  const call = hasParentheses
    ? [callee.name, bracketed("(", path.map(print, "arguments"), ")")]
    : callee.name;
  return alias ? [call, ` as ${alias.name}`] : call;
}

/** Elements between brackets, on one line or each on its own. */
export function bracketed(open: string, elements: readonly Doc[], close: string): Doc {
  if (elements.length === 0) return [open, close];
  const inside = join([",", line], [...elements]);
  return group([open, indent([softline, inside]), softline, close]);
}

/**
 * Numbers and tuples: as many on a line as fit. One with a comment ends its line, and one with
 * comments above begins one, or the comments would end up behind others.
 */
export function filled(
  [open, close]: readonly [string, string],
  elements: readonly Doc[],
  nodes: readonly Node[],
): Doc {
  if (elements.length === 0) return [open, close];
  const parts = elements.flatMap((element, index) => {
    const next = nodes[index + 1];
    if (!next) return [element];
    const isBroken = containsComments(nodes[index]!) || hasLeadingComments(next);
    return [[element, ","], isBroken ? hardline : line];
  });
  return group([open, indent([softline, fill(parts)]), softline, close]);
}

/** Calls joined by arrows; arrows that do not fit on the line lead the next ones. */
export function printArrows(elements: readonly Doc[], padding = ""): Doc {
  const [first, ...rest] = elements;
  const pad = padding === "" ? [] : [doc.builders.ifBreak("", padding)];
  return group([first!, ...pad, indent(rest.map((element) => [line, "-> ", element]))]);
}

const [COMPARISON, NOT, AND, OR] = [1, 0, -1, -2] as const;

/** How tightly operators bind. */
function precedenceOf({ operator }: BinaryExpression): number {
  switch (operator) {
    case "^":
      return 4;
    case "*":
    case "/":
    case "%":
      return 3;
    case "+":
    case "-":
      return 2;
    case "and":
      return AND;
    case "or":
      return OR;
    default:
      return COMPARISON;
  }
}

/** Parentheses only where the tree would be another one without them. */
export function printBinary(path: PathOf<"binary">, print: PrintChild): Doc {
  const { node } = path;
  const own = precedenceOf(node);
  // `a ^ b ^ c` is `a ^ (b ^ c)`, and `-a ^ b` is `-(a ^ b)`.
  const isPower = node.operator === "^";
  const side = (key: "left" | "right") => {
    const operand = node[key];
    const printed = path.call(print, key);
    const isInverted = operand.kind === "unary" && operand.operator === "not";
    if (isInverted && own > NOT) return ["(", printed, ")"];
    if (operand.kind === "unary" && isPower && key === "left") return ["(", printed, ")"];
    if (operand.kind !== "binary") return printed;
    const other = precedenceOf(operand);
    const isUneven = key === (isPower ? "left" : "right") || own === COMPARISON;
    const needsParentheses = other < own || (other === own && isUneven);
    return needsParentheses ? ["(", printed, ")"] : printed;
  };
  const sign = isPower ? "^" : ` ${node.operator} `;
  return [side("left"), sign, side("right")];
}

export function printUnary(path: PathOf<"unary">, print: PrintChild): Doc {
  const printed = path.call(print, "operand");
  const { operator, operand } = path.node;
  if (operator === "not") {
    const isJoined = operand.kind === "binary" && precedenceOf(operand) < NOT;
    return isJoined ? ["not (", printed, ")"] : ["not ", printed];
  }
  if (operand.kind === "unary" && operand.operator === "not") return ["-(", printed, ")"];
  const needsParentheses = operand.kind === "binary" && operand.operator !== "^";
  return needsParentheses ? ["-(", printed, ")"] : ["-", printed];
}
