import { contains } from "../ir/expression-transform.js";
import type { BinaryOperator, Expression } from "../ir/expression.js";
import { KEEP, THREEFRY } from "./random.js";
import { wgsl } from "./wgsl.js";

/** How an expression's leaves are read in a kernel. */
export interface Leaves {
  /** WGSL type of every subexpression. */
  readonly type: "f32" | "vec4f";
  operand(index: number): string;
  channel(index: number): string;
  /** The first element's place in (n, y, x, c) order over the whole step, for dropout's mask. */
  readonly counter: string;
}

/** Prints an expression as WGSL. */
export function print(expression: Expression, leaves: Leaves): string {
  const { type } = leaves;
  switch (expression.kind) {
    case "operand":
      return leaves.operand(expression.index);
    case "channel":
      return leaves.channel(expression.index);
    case "constant":
      return `${type}(${float(expression.value)})`;
    case "keep":
      return `keep(${leaves.counter}, ${float(expression.rate)}, ${expression.stream}u)`;
    case "batchShare":
      return `${type}(1.0 / f32(frame.step_images))`;
    case "unary":
      return printUnary(expression, leaves);
    case "binary":
      return printBinary(expression, leaves);
  }
}

function printUnary(
  { operator, argument }: Extract<Expression, { kind: "unary" }>,
  leaves: Leaves,
): string {
  const { type } = leaves;
  const x = print(argument, leaves);
  switch (operator) {
    case "negate":
      return `-(${x})`;
    case "relu":
      return `max(${x}, ${type}(0))`;
    case "positive":
      return `select(${type}(0), ${type}(1), ${x} > ${type}(0))`;
    case "sigmoid":
      return `(${type}(1) / (${type}(1) + exp(-(${x}))))`;
    case "tanh":
      // Some drivers compute tanh from exp(2x), which overflows; beyond 15 it is 1 in f32.
      return `tanh(clamp(${x}, ${type}(-15), ${type}(15)))`;
    case "erf":
      return `erf(${type === "vec4f" ? x : `vec4f(${x})`})${type === "vec4f" ? "" : ".x"}`;
    case "exp":
    case "log":
    case "sqrt":
      return `${operator}(${x})`;
  }
}

const INFIX = { add: "+", subtract: "-", multiply: "*", divide: "/" } as const;
const CALLS = { maximum: "max", minimum: "min", power: "pow" } as const;

function printBinary(
  { operator, left, right }: Extract<Expression, { kind: "binary" }>,
  leaves: Leaves,
): string {
  if (operator === "multiply") {
    // A mask times a value is a selection: cheaper, and 0 times infinity is no NaN.
    if (isPositive(left)) return printMasked(left.argument, right, leaves);
    if (isPositive(right)) return printMasked(right.argument, left, leaves);
  }
  const [a, b] = [print(left, leaves), print(right, leaves)];
  if (operator in INFIX) return `(${a} ${INFIX[operator as keyof typeof INFIX]} ${b})`;
  return `${CALLS[operator as keyof typeof CALLS]}(${a}, ${b})`;
}

type Positive = Extract<Expression, { kind: "unary" }> & { operator: "positive" };

function isPositive(expression: Expression): expression is Positive {
  return expression.kind === "unary" && expression.operator === "positive";
}

function printMasked(condition: Expression, value: Expression, leaves: Leaves): string {
  const zero = `${leaves.type}(0)`;
  return `select(${zero}, ${print(value, leaves)}, ${print(condition, leaves)} > ${zero})`;
}

/** An f32 literal. */
export function float(value: number): string {
  if (!Number.isFinite(value)) throw new Error(`no WGSL literal for ${value}`);
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** Functions that the printed expression calls. */
export function expressionDeclarations(expressions: readonly Expression[]): string[] {
  const some = (test: (part: Expression) => boolean) =>
    expressions.some((expression) => contains(expression, test));
  return [
    ...(expressions.some(readsMask) ? [THREEFRY, KEEP] : []),
    ...(some((part) => part.kind === "unary" && part.operator === "erf") ? [ERF] : []),
  ];
}

/** Whether an expression needs dropout's mask, and so its element's place. */
export function readsMask(expression: Expression): boolean {
  return contains(expression, ({ kind }) => kind === "keep");
}

/** Abramowitz and Stegun 7.1.26: wrong by at most 1.5e-7, little more than rounding to f32. */
const ERF = wgsl`
  fn erf(x: vec4f) -> vec4f {
    let t = 1.0 / (1.0 + 0.3275911 * abs(x));
    let series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
    return sign(x) * (1.0 - series * exp(-min(x * x, vec4f(80))));
  }`;

/** Short word for kernel names: `bias_relu`, `masked`, ... built from the operators, outermost last. */
export function describe(expression: Expression): string {
  switch (expression.kind) {
    case "operand":
      return "";
    case "channel":
      return "channel";
    case "constant":
      return "constant";
    case "batchShare":
      return "mean";
    case "keep":
      return "dropout";
    case "unary":
      return join(describe(expression.argument), expression.operator);
    case "binary":
      return describeBinary(expression);
  }
}

/** What an operator does with a value for each channel. */
const CHANNEL_WORDS: Partial<Record<BinaryOperator, string>> = {
  add: "bias",
  subtract: "center",
  multiply: "scale",
};

function describeBinary({
  operator,
  left,
  right,
}: Extract<Expression, { kind: "binary" }>): string {
  const word = right.kind === "channel" ? CHANNEL_WORDS[operator] : undefined;
  if (word) return join(describe(left), word);
  if (operator === "divide" && isDeviation(right)) return join(describe(left), "normalize");
  return join(describe(left), describe(right), operator);
}

/** sqrt(variance of the channel + something). */
function isDeviation(expression: Expression): boolean {
  if (expression.kind !== "unary" || expression.operator !== "sqrt") return false;
  const { argument } = expression;
  return argument.kind === "binary" && argument.left.kind === "channel";
}

function join(...words: readonly string[]): string {
  return words.filter((word) => word !== "").join("_");
}
