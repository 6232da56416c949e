import type {
  BinaryExpression,
  Expression,
  ListExpression,
  NameExpression,
  NumberLiteral,
  TupleExpression,
  UnaryExpression,
} from "../../grammar/ast.js";
import { evaluateJoined, evaluateNot } from "./conditions.js";
import {
  type Constant,
  DEEPEST_LIST,
  describeConstant,
  elementsOf,
  formatConstant,
  isNumeric,
  isSameConstant,
  MOST_VALUES,
} from "./constant.js";
import { evaluateFunction } from "./functions.js";
import type { Environment } from "./environment.js";
import { numberConstant } from "./number-constant.js";
import { didYouMean, renameFixes } from "./suggestion.js";

/** The value of a compile-time expression; undefined if it has none, which is reported then. */
export function evaluate(expression: Expression, environment: Environment): Constant | undefined {
  switch (expression.kind) {
    case "number":
      return evaluateNumber(expression, environment);
    case "string":
      return { kind: "string", value: expression.value };
    case "boolean":
      return { kind: "boolean", value: expression.value };
    case "name":
      return evaluateName(expression, environment);
    case "list":
    case "tuple":
      return evaluateElements(expression, environment);
    case "call":
      return evaluateFunction(expression, environment, evaluate);
    case "unary":
      return evaluateUnary(expression, environment);
    case "binary":
      return evaluateBinary(expression, environment);
    default:
      return environment.reporter.report("NET1014", {
        message: `expected a value that is known when compiling, but this is ${nounOf(expression)}`,
        span: expression.span,
      });
  }
}

function nounOf(expression: Expression): string {
  switch (expression.kind) {
    case "pattern":
      return `the name of weights \`${expression.segments.join(".")}\``;
    case "range":
      return "a range";
    default:
      return "a sequence of calls";
  }
}

function evaluateNumber(literal: NumberLiteral, environment: Environment): Constant | undefined {
  const { reporter } = environment;
  if (literal.unit) {
    return reporter.report("NET1014", {
      message: `expected a plain number, but \`${literal.value} ${literal.unit.name}\` has a unit`,
      span: literal.span,
      fixes: [
        {
          title: `write \`${literal.value}\``,
          edits: [{ span: literal.span, newText: String(literal.value) }],
        },
      ],
    });
  }
  const { isInteger, value, span } = literal;
  return numberConstant({ kind: isInteger ? "integer" : "float", value }, span, environment);
}

function evaluateName(
  { name, span }: NameExpression,
  { scope, reporter, names }: Environment,
): Constant | undefined {
  const entry = scope.use(name);
  if (entry) {
    names.use(entry.kind, name, span, entry.span);
    names.take(entry.span, entry.value);
    return entry.value;
  }
  const later = scope.definedLater(name);
  if (later) {
    return reporter.report("NET1012", {
      message: `\`${name}\` is used before it is defined`,
      span,
      label: "used here",
      related: [{ span: later, message: "defined only here" }],
      notes: ["constants are computed from top to bottom: move the definition above its first use"],
    });
  }
  const known = scope.names;
  const plain = name.toLowerCase();
  const truth = Object.hasOwn(TRUTHS, plain) ? TRUTHS[plain] : undefined;
  const question = truth ? `; did you mean \`${truth}\`?` : didYouMean(name, known);
  return reporter.report("NET1003", {
    message: `there is no constant or parameter \`${name}\`${question}`,
    span,
    notes: name === "N" ? ["shapes of layers begin behind the batch: leave `N` out"] : [],
    fixes: truth
      ? [{ title: `write \`${truth}\``, edits: [{ span, newText: truth }] }]
      : renameFixes(span, name, known),
  });
}

/** How Python, YAML and people write truth values. */
const TRUTHS: Readonly<Record<string, "true" | "false">> = {
  true: "true",
  yes: "true",
  on: "true",
  false: "false",
  no: "false",
  off: "false",
};

function evaluateElements(
  { kind, elements, span }: ListExpression | TupleExpression,
  environment: Environment,
): Constant | undefined {
  const values = elements.map((element) => evaluate(element, environment));
  if (!values.every((value) => value !== undefined)) return undefined;
  const made = elementsOf(kind, values);
  if (made) return made;
  return environment.reporter.report("NET1035", {
    message:
      `this ${kind} holds more than ${MOST_VALUES} values ` +
      `or is nested more than ${DEEPEST_LIST} deep`,
    span,
    notes: ["a list in a list counts with all its values: lists of lists multiply"],
  });
}

function evaluateUnary(
  expression: UnaryExpression,
  environment: Environment,
): Constant | undefined {
  if (expression.operator === "not") return evaluateNot(expression, environment, evaluate);
  const operand = evaluate(expression.operand, environment);
  if (!operand) return undefined;
  if (isNumeric(operand)) return { kind: operand.kind, value: -operand.value } as const;
  return environment.reporter.report("NET1014", {
    message: `\`-\` needs a number, but its operand is ${describeConstant(operand)}`,
    span: expression.operand.span,
  });
}

function evaluateBinary(
  expression: BinaryExpression,
  environment: Environment,
): Constant | undefined {
  const { operator } = expression;
  if (operator === "and" || operator === "or") {
    return evaluateJoined(expression, environment, evaluate);
  }
  const left = evaluate(expression.left, environment);
  const right = evaluate(expression.right, environment);
  if (!left || !right) return undefined;
  if (expression.operator === "==" || expression.operator === "!=") {
    const isSame = isSameConstant(left, right);
    return { kind: "boolean", value: isSame === (expression.operator === "==") };
  }
  if (!isNumeric(left) || !isNumeric(right)) {
    const wrong = isNumeric(left) ? expression.right : expression.left;
    return environment.reporter.report("NET1014", {
      message:
        `\`${expression.operator}\` needs two numbers, ` +
        `but computes with ${describeConstant(isNumeric(left) ? right : left)}`,
      span: wrong.span,
    });
  }
  return calculate(expression, left, right, environment);
}

function calculate(
  expression: BinaryExpression,
  left: Constant & { readonly value: number },
  right: Constant & { readonly value: number },
  environment: Environment,
): Constant | undefined {
  const { reporter } = environment;
  const divides = expression.operator === "/" || expression.operator === "%";
  if (divides && right.value === 0) {
    return reporter.report("NET1013", {
      message:
        "division by zero: " +
        `\`${formatConstant(left)} ${expression.operator} ${formatConstant(right)}\``,
      span: expression.right.span,
      label: "this is 0",
    });
  }
  const compare = comparisons[expression.operator];
  if (compare) return { kind: "boolean", value: compare(left.value, right.value) };
  const value = arithmetic[expression.operator]!(left.value, right.value);
  // 224 / 32 is an integer, 7 / 2 is not: where an integer is wanted, 3.5 is then refused instead
  // of cut.
  const isInteger = left.kind === "integer" && right.kind === "integer" && Number.isInteger(value);
  return numberConstant(
    { kind: isInteger ? "integer" : "float", value },
    expression.span,
    environment,
  );
}

type Operator = BinaryExpression["operator"];

const arithmetic: Partial<Record<Operator, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "^": (a, b) => a ** b,
  // The remainder has the divisor's sign, as in Python.
  "%": (a, b) => a - b * Math.floor(a / b),
};

const comparisons: Partial<Record<Operator, (a: number, b: number) => boolean>> = {
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
};
