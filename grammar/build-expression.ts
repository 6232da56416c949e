import type { CstElement, CstNode, IToken } from "chevrotain";
import type {
  Argument,
  BinaryExpression,
  CallExpression,
  Expression,
  Identifier,
  ListExpression,
  NumberLiteral,
  SequenceExpression,
  Span,
  StringLiteral,
  UnaryExpression,
} from "./ast.js";
import { MEANT_BY_SIGN, numberMeant } from "./lexer.js";
import { is, spanOf } from "./place.js";
import type { SyntaxProblem } from "./problem.js";
import { addProblems, problem, replace } from "./problem.js";
import { chainOfComparisons, checkCommas } from "./statements.js";
import { Comparison, Integer, Minus, Not } from "./tokens.js";
import { elementsInOrder, isNode, node, nodes, spanOfNode, token, tokens } from "./tree.js";

/** What the builders share: the file's name, and the problems found so far. */
export interface BuildContext {
  readonly file: string;
  readonly problems: SyntaxProblem[];
}

export function present<T>(value: T | undefined): value is T {
  return value !== undefined;
}

export function covering(first: Span, last: Span): Span {
  return { file: first.file, start: first.start, end: last.end };
}

export function identifier(
  context: BuildContext,
  name: IToken | undefined,
): Identifier | undefined {
  return name && { kind: "identifier", name: name.image, span: spanOf(context.file, name) };
}

/** `warmup(5 epochs) -> step(30 epochs)`, or any single expression. */
export function buildSequence(context: BuildContext, parent?: CstNode): Expression | undefined {
  const first = buildExpression(context, node(parent, "expression"));
  if (!parent || !first) return undefined;
  const rest = nodes(parent, "call").map((call) => buildCall(context, call));
  if (rest.length === 0) return first;
  const start = asCall(first);
  if (!start) {
    const message = "`->` joins calls such as `warmup(5 epochs)`, but this is a value";
    context.problems.push(problem("NET0001", first.span, message));
    return first;
  }
  const calls = [start, ...rest.filter(present)];
  const sequence: SequenceExpression = {
    kind: "sequence",
    calls,
    span: spanOfNode(context.file, parent),
  };
  return sequence;
}

function asCall(expression: Expression): CallExpression | undefined {
  if (expression.kind === "call") return expression;
  if (expression.kind !== "name") return undefined;
  const { name, span } = expression;
  const callee: Identifier = { kind: "identifier", name, span };
  return { kind: "call", callee, arguments: [], hasParentheses: false, span };
}

export function buildExpression(context: BuildContext, parent?: CstNode): Expression | undefined {
  return parent && leftToRight(context, parent, "conjunction", buildConjunction);
}

function buildConjunction(context: BuildContext, parent: CstNode): Expression | undefined {
  return leftToRight(context, parent, "inversion", buildInversion);
}

function buildInversion(context: BuildContext, parent: CstNode): Expression | undefined {
  const comparison = node(parent, "comparison");
  const operand = comparison && buildComparison(context, comparison);
  return prefixed(context, tokens(parent, Not.name), "not", operand);
}

/** `a < b < c` is a mistake, which is read as `a < b and b < c`. */
function buildComparison(context: BuildContext, parent: CstNode): Expression | undefined {
  const parts = elementsInOrder(parent).filter(isNode);
  const signs = tokens(parent, Comparison.name);
  if (signs.length < 2) return leftToRight(context, parent, "sum", buildSum);
  const operands = parts.map((part) => buildSum(context, part));
  if (!operands.every(present)) return operands.find(present);
  context.problems.push(chainOfComparisons(context.file, signs, parts));
  return signs
    .flatMap((sign, index) => {
      const [left, right] = [operands[index], operands[index + 1]];
      return left && right ? [binary(left, sign, right)] : [];
    })
    .reduce<Expression | undefined>((all, next) => (all ? joined(all, next) : next), undefined);
}

const joined = (left: Expression, right: Expression): Expression => {
  return { kind: "binary", operator: "and", left, right, span: covering(left.span, right.span) };
};

function buildSum(context: BuildContext, parent: CstNode): Expression | undefined {
  return leftToRight(context, parent, "product", buildProduct);
}

function buildProduct(context: BuildContext, parent: CstNode): Expression | undefined {
  return leftToRight(context, parent, "unary", buildUnary);
}

/**
 * `a - b - c` is `(a - b) - c`. Operands that are missing are left out together with their
 * operators.
 */
function leftToRight(
  context: BuildContext,
  parent: CstNode,
  operandRule: string,
  build: (context: BuildContext, operand: CstNode) => Expression | undefined,
): Expression | undefined {
  let left: Expression | undefined;
  let operator: IToken | undefined;
  for (const element of elementsInOrder(parent)) {
    if (!isNode(element)) {
      operator = element;
    } else if (element.name === operandRule) {
      const right = build(context, element);
      left = left && operator && right ? binary(left, operator, right) : (left ?? right);
    }
  }
  return left;
}

function binary(left: Expression, operator: IToken, right: Expression): BinaryExpression {
  const span = covering(left.span, right.span);
  const sign = (MEANT_BY_SIGN[operator.image] ?? operator.image) as BinaryExpression["operator"];
  return { kind: "binary", operator: sign, left, right, span };
}

function buildUnary(context: BuildContext, parent: CstNode): Expression | undefined {
  const power = node(parent, "power");
  return prefixed(context, tokens(parent, Minus.name), "-", power && buildPower(context, power));
}

/** An operand behind signs, or behind several `not`. */
function prefixed(
  { file }: BuildContext,
  signs: readonly IToken[],
  operator: UnaryExpression["operator"],
  operand: Expression | undefined,
): Expression | undefined {
  return signs.reduceRight<Expression | undefined>((inner, sign) => {
    if (!inner) return undefined;
    const span = covering(spanOf(file, sign), inner.span);
    return { kind: "unary", operator, operand: inner, span };
  }, operand);
}

function buildPower(context: BuildContext, parent: CstNode): Expression | undefined {
  const primary = node(parent, "primary");
  const base = primary && buildPrimary(context, primary);
  const exponent = node(parent, "unary");
  if (!base || !exponent) return base;
  const right = buildUnary(context, exponent);
  if (!right) return base;
  const span = covering(base.span, right.span);
  return { kind: "binary", operator: "^", left: base, right, span };
}

function buildPrimary(context: BuildContext, parent: CstNode): Expression | undefined {
  const element = elementsInOrder(parent)[0];
  if (!element) return undefined;
  return isNode(element) ? buildCompound(context, element) : buildLiteral(context, element);
}

function buildLiteral(context: BuildContext, literal: IToken): Expression {
  const span = spanOf(context.file, literal);
  if (literal.image === "true" || literal.image === "false") {
    return { kind: "boolean", value: literal.image === "true", span };
  }
  return { kind: "string", value: stringValue(literal.image), span };
}

export function buildString(
  { file }: BuildContext,
  literal: IToken | undefined,
): StringLiteral | undefined {
  return (
    literal && { kind: "string", value: stringValue(literal.image), span: spanOf(file, literal) }
  );
}

/** Only `\"` and `\\` are escapes, so that Windows paths mean what they seem to. */
function stringValue(image: string): string {
  const isClosed = image.length > 1 && /["']$/.test(image);
  return image.slice(1, isClosed ? -1 : undefined).replace(/\\(["\\])/g, "$1");
}

function buildCompound(context: BuildContext, parent: CstNode): Expression | undefined {
  switch (parent.name) {
    case "number":
      return buildNumber(context, parent);
    case "list":
      return buildList(context, parent);
    case "group":
      return buildGroup(context, parent);
    case "pattern":
      return buildPattern(context, parent);
    default:
      return buildValueCall(context, parent);
  }
}

function buildNumber(context: BuildContext, parent: CstNode): NumberLiteral | undefined {
  const digits = token(parent, "Integer") ?? token(parent, "Float");
  if (!digits) return undefined;
  const [value = "", joinedUnit] = (numberMeant(digits.image) ?? digits.image).split(" ");
  const unit =
    identifier(context, token(parent, "Identifier")) ??
    (joinedUnit ? identifier(context, { ...digits, image: joinedUnit }) : undefined);
  return {
    kind: "number",
    value: Number.parseFloat(value),
    isInteger: is(digits, Integer),
    unit,
    span: spanOfNode(context.file, parent),
  };
}

export function buildList(context: BuildContext, parent: CstNode): ListExpression {
  addProblems(context.problems, checkCommas(context.file, parent));
  const elements = nodes(parent, "expression").map((element) => buildExpression(context, element));
  const span = spanOfNode(context.file, parent);
  return { kind: "list", elements: elements.filter(present), span };
}

/**
 * Around one value, parentheses leave no trace in the tree but in the span; around several they
 * make a tuple.
 */
function buildGroup(context: BuildContext, parent: CstNode): Expression | undefined {
  const values = nodes(parent, "expression").map((value) => buildExpression(context, value));
  const elements = values.filter(present);
  const span = spanOfNode(context.file, parent);
  const isTuple = values.length > 1 || token(parent, "Comma") !== undefined;
  if (!isTuple) return elements[0] && { ...elements[0], span };
  addProblems(context.problems, checkCommas(context.file, parent));
  return { kind: "tuple", elements, span };
}

function buildPattern(context: BuildContext, parent: CstNode): Expression {
  const segments = nodes(parent, "segment").flatMap(elementsInOrder).map(imageOf);
  return { kind: "pattern", segments, span: spanOfNode(context.file, parent) };
}

function imageOf(element: CstElement): string {
  return isNode(element) ? "" : element.image;
}

/** A call, or a plain name where there are no parentheses. */
function buildValueCall(context: BuildContext, parent: CstNode): Expression | undefined {
  const call = buildCall(context, parent);
  if (!call || call.hasParentheses) return call;
  return { kind: "name", name: call.callee.name, span: call.span };
}

/** @param name the token of the callee */
export function buildCall(
  context: BuildContext,
  parent?: CstNode,
  name: "Name" | "Concat" | "Residual" | "Split" = "Name",
): CallExpression | undefined {
  const callee = identifier(context, token(parent, name));
  if (!parent || !callee) return undefined;
  const list = node(parent, "arguments");
  return {
    kind: "call",
    callee,
    arguments: list ? buildArguments(context, list) : [],
    hasParentheses: list !== undefined,
    span: spanOfNode(context.file, parent),
  };
}

function buildArguments(context: BuildContext, parent: CstNode): Argument[] {
  addProblems(context.problems, checkCommas(context.file, parent));
  const built = nodes(parent, "argument").map((argument) => buildArgument(context, argument));
  return built.filter(present);
}

function buildArgument(context: BuildContext, parent: CstNode): Argument | undefined {
  const name = identifier(context, token(parent, "Name"));
  const value = buildExpression(context, node(parent, "expression"));
  const colon = token(parent, "Colon");
  if (colon && name) context.problems.push(colonForEquals(context.file, colon, name.name));
  if (!value) return undefined;
  return { name, value, span: spanOfNode(context.file, parent) };
}

function colonForEquals(file: string, colon: IToken, name: string): SyntaxProblem {
  const span = spanOf(file, colon);
  return problem("NET0001", span, `expected \`=\` after \`${name}\`, but found \`:\``, {
    label: "expected `=`",
    fixes: [replace(span, "=", "write `=`")],
  });
}
