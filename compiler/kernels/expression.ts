import { contains } from "../ir/expression-transform.js";
import type { BinaryOperator, Expression } from "../ir/expression.js";
import { LARGER, OR_NAN, RELU, SMALLER } from "./not-a-number.js";
import { KEEP, THREEFRY } from "./random.js";
import { SCALAR_FUNCTIONS } from "./scalar-functions.js";
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
      return called("relu", leaves, x);
    case "positive":
      return `select(${type}(0), ${type}(1), ${x} > ${type}(0))`;
    case "sigmoid":
    case "tanh":
    case "normal":
    case "bell":
    case "softplus":
    case "exp":
    case "expm1":
    case "log":
      return called(FUNCTIONS[operator].name, leaves, x);
    case "sqrt":
      return `sqrt(${x})`;
  }
}

/** A call of a function that is declared for vec4f. */
function called(name: string, { type }: Leaves, ...operands: readonly string[]): string {
  if (type === "vec4f") return `${name}(${operands.join(", ")})`;
  return `${name}(${operands.map((each) => `vec4f(${each})`).join(", ")}).x`;
}

const INFIX = { add: "+", subtract: "-", multiply: "*", divide: "/" } as const;

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
  return called(FUNCTIONS[operator as "maximum" | "minimum" | "power"].name, leaves, a, b);
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
  const used = Object.entries(FUNCTIONS).flatMap(([operator, { declarations }]) =>
    some((part) => "operator" in part && part.operator === operator) ? declarations : [],
  );
  return [...(expressions.some(readsMask) ? [THREEFRY, KEEP] : []), ...new Set(used)];
}

/** Whether an expression needs dropout's mask, and so its element's place. */
export function readsMask(expression: Expression): boolean {
  return contains(expression, ({ kind }) => kind === "keep");
}

const LOG = "fn logarithm(x: vec4f) -> vec4f {\n  return or_nan(x, log(x));\n}";

const POWER = wgsl`
  fn power(x: vec4f, exponent: vec4f) -> vec4f {
    return or_nan(x, or_nan(exponent, pow(x, exponent)));
  }`;

/** The operators that are functions of our own, since WGSL's lose NaN on some device. */
const FUNCTIONS = {
  relu: { name: "relu", declarations: [RELU] },
  ...SCALAR_FUNCTIONS,
  log: { name: "logarithm", declarations: [OR_NAN, LOG] },
  maximum: { name: "larger", declarations: [OR_NAN, LARGER] },
  minimum: { name: "smaller", declarations: [OR_NAN, SMALLER] },
  power: { name: "power", declarations: [OR_NAN, POWER] },
} as const;

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
