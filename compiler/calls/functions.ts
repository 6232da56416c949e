import type { Alias } from "../diagnostics/alias.js";
import type { CallExpression, Expression } from "../../grammar/ast.js";
import { checkNames, type Evaluate } from "./conditions.js";
import { type Constant, describeConstant, isNumeric } from "./constant.js";
import type { Environment } from "./environment.js";
import { numberConstant } from "./number-constant.js";
import { adviseName, listNames } from "./suggestion.js";

/** A function of constants. */
export interface ConstantFunction {
  readonly name: string;
  /** How a spec writes it, of a constant `width`. */
  readonly example: string;
  readonly aliases: readonly Alias[];
  readonly summary: string;
  readonly compute: (values: readonly number[]) => number;
  /** How many arguments it takes. */
  readonly least: number;
  readonly most: number;
}

/** `where(stride > 1, 2, 1)`: one of two constants of any kind. */
const WHERE: ConstantFunction = {
  name: "where",
  example: "where(width > 64, 2, 1)",
  aliases: ["select", "cond", "iif"],
  summary: "the second value where the condition is true, else the third",
  compute: () => NaN,
  least: 3,
  most: 3,
};

/** Every function of constants. */
export const functions: readonly ConstantFunction[] = [
  {
    name: "min",
    example: "min(64, width)",
    aliases: ["minimum"],
    summary: "the smallest of its values",
    compute: (values) => values.reduce((a, b) => Math.min(a, b)),
    least: 2,
    most: Infinity,
  },
  {
    name: "max",
    example: "max(8, width / 4)",
    aliases: ["maximum"],
    summary: "the largest of its values",
    compute: (values) => values.reduce((a, b) => Math.max(a, b)),
    least: 2,
    most: Infinity,
  },
  {
    name: "floor",
    example: "floor(width / 3)",
    aliases: [{ name: "int", differs: "`int(-2.5)` is -2 in Python, `floor(-2.5)` is -3" }],
    summary: "rounded down to an integer",
    compute: ([value]) => Math.floor(value!),
    least: 1,
    most: 1,
  },
  {
    name: "ceil",
    example: "ceil(width / 3)",
    aliases: ["ceiling"],
    summary: "rounded up to an integer",
    compute: ([value]) => Math.ceil(value!),
    least: 1,
    most: 1,
  },
  {
    name: "round",
    example: "round(width * 1.5)",
    aliases: [],
    summary: "rounded to the nearest integer",
    compute: ([value]) => Math.round(value!),
    least: 1,
    most: 1,
  },
  {
    name: "abs",
    example: "abs(width - 64)",
    aliases: ["fabs"],
    summary: "without its sign",
    compute: ([value]) => Math.abs(value!),
    least: 1,
    most: 1,
  },
  {
    name: "sqrt",
    example: "sqrt(width)",
    aliases: [],
    summary: "the square root",
    compute: ([value]) => Math.sqrt(value!),
    least: 1,
    most: 1,
  },
  WHERE,
];

/** Whether a call computes a constant, and is not a loss, a schedule or the like. */
export function isFunction(name: string): boolean {
  return functions.some((each) => each.name === name);
}

/** `min(64, width)`: an integer where all arguments are, and where the result is rounded. */
export function evaluateFunction(
  call: CallExpression,
  environment: Environment,
  evaluate: Evaluate,
): Constant | undefined {
  const found = functions.find(({ name }) => name === call.callee.name);
  if (!found) return reportUnknown(call, environment);
  if (found === WHERE) return evaluateWhere(call, environment, evaluate);
  const values = call.arguments.map(({ value }) => evaluate(value, environment));
  if (!checkCount(call, found, environment)) return undefined;
  const numbers: number[] = [];
  for (const [index, value] of values.entries()) {
    if (!value) return undefined;
    if (!isNumeric(value)) return reportOperand(call, index, value, environment);
    numbers.push(value.value);
  }
  const value = found.compute(numbers);
  const kind = Number.isInteger(value) ? "integer" : "float";
  return numberConstant({ kind, value }, call.span, environment);
}

/** The value that is not chosen need not have one: `where(n > 0, width / n, width)`. */
function evaluateWhere(
  call: CallExpression,
  environment: Environment,
  evaluate: Evaluate,
): Constant | undefined {
  if (!checkCount(call, WHERE, environment)) return undefined;
  const [condition, first, second] = call.arguments.map(({ value }) => value) as [
    Expression,
    Expression,
    Expression,
  ];
  const isTrue = evaluate(condition, environment);
  if (!isTrue) return undefined;
  if (isTrue.kind === "boolean") {
    checkNames(isTrue.value ? second : first, environment, evaluate);
    return evaluate(isTrue.value ? first : second, environment);
  }
  return environment.reporter.report("NET1014", {
    message: `\`where\` needs a condition, but gets ${describeConstant(isTrue)}`,
    span: condition.span,
    notes: ["for instance `where(stride > 1, 2, 1)`"],
  });
}

function reportUnknown(call: CallExpression, { reporter }: Environment): undefined {
  const { name } = call.callee;
  const list = `functions of constants are ${listNames(functions.map((each) => each.name))}`;
  const { question, ...advice } = adviseName(call.callee, { known: functions, otherwise: [list] });
  return reporter.report("NET1014", {
    message:
      "expected a value that is known when compiling, " +
      `but this is the call \`${name}(...)\`${question}`,
    span: call.span,
    ...advice,
  });
}

function checkCount(
  call: CallExpression,
  { name, example, least, most }: ConstantFunction,
  { reporter }: Environment,
): boolean {
  const count = call.arguments.length;
  if (count >= least && count <= most && !call.arguments.some((each) => each.name)) return true;
  const counted = least === 1 ? "1 value" : `${least} values`;
  const expected = most === least ? counted : `at least ${counted}`;
  reporter.report("NET1014", {
    message: `\`${name}\` takes ${expected} without names, ` + `as in \`${example}\``,
    span: call.span,
  });
  return false;
}

function reportOperand(
  { callee, arguments: given }: CallExpression,
  index: number,
  value: Constant,
  { reporter }: Environment,
): undefined {
  return reporter.report("NET1014", {
    message: `\`${callee.name}\` needs numbers, but computes with ${describeConstant(value)}`,
    span: given[index]!.span,
  });
}
