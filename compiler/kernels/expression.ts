import { selectionOf, type Selection } from "../ir/expression-choice.js";
import { contains } from "../ir/expression-transform.js";
import type { BinaryOperator, Dropped, Expression } from "../ir/expression.js";
import { code, float, frame, joined, text, type Code, type Declared } from "./code.js";
import { IS_NAN, LARGER, RELU, SMALLER } from "./not-a-number.js";
import { LOG, POWER } from "./powers.js";
import { KEEP, KEEP_EXAMPLE, NOISE } from "./random.js";
import { SCALAR_FUNCTIONS } from "./scalar-functions.js";

/** How an expression's leaves are read in a kernel. */
export interface Leaves {
  /** WGSL type of every subexpression. */
  readonly type: "f32" | "vec4f";
  readonly operand: (index: number) => Code;
  readonly channel: (index: number) => Code;
  /**
   * For dropout's masks, where what they drop is counted over the whole step: elements in (n, y, x,
   * c) order, channels in (n, c) order, or examples. Of four elements, the first one's.
   */
  readonly counter: (dropped: Dropped) => Code;
}

/** An expression as WGSL. */
export function print(expression: Expression, leaves: Leaves): Code {
  const type = text(leaves.type);
  switch (expression.kind) {
    case "operand":
      return leaves.operand(expression.index);
    case "channel":
      return leaves.channel(expression.index);
    case "constant":
      return code`${type}(${float(expression.value)})`;
    case "keep": {
      const { rate, stream, dropped } = expression;
      return code`${keepFor(dropped)}(${leaves.counter(dropped)}, ${float(rate)}, ${stream})`;
    }
    case "noise": {
      const { distribution, stream, argument } = expression;
      const place = leaves.counter("element");
      return code`${NOISE[distribution]}(${print(argument, leaves)}, ${place}, ${stream})`;
    }
    case "batchShare":
      return code`${type}(1.0 / f32(${frame.step_images}))`;
    case "unary":
      return printUnary(expression, leaves);
    case "binary":
      return printBinary(expression, leaves);
  }
}

/** The four elements of a quad are of four channels and of one example. */
const keepFor = (dropped: Dropped) => (dropped === "example" ? KEEP_EXAMPLE : KEEP);

/** How tightly printed expressions hold together. */
const SUM = 1;
const PRODUCT = 2;
const SIGNED = 3;
const PRIMARY = 4;

const TIGHTNESS = { add: SUM, subtract: SUM, multiply: PRODUCT, divide: PRODUCT } as const;

function tightnessOf(expression: Expression): number {
  if (expression.kind === "unary") return expression.operator === "negate" ? SIGNED : PRIMARY;
  if (expression.kind !== "binary" || selectionOf(expression)) return PRIMARY;
  const { operator } = expression;
  return operator in TIGHTNESS ? TIGHTNESS[operator as keyof typeof TIGHTNESS] : PRIMARY;
}

/** An operand, in parentheses where it is looser than its operator allows. */
function printOperand(expression: Expression, leaves: Leaves, least: number): Code {
  const printed = print(expression, leaves);
  return tightnessOf(expression) < least ? code`(${printed})` : printed;
}

function printUnary(
  { operator, argument }: Extract<Expression, { kind: "unary" }>,
  leaves: Leaves,
): Code {
  const type = text(leaves.type);
  const x = print(argument, leaves);
  switch (operator) {
    case "stop":
      return printOperand(argument, leaves, PRIMARY);
    case "negate":
      return code`-${printOperand(argument, leaves, PRIMARY)}`;
    case "positive":
      return code`select(${type}(0), ${type}(1), ${x} > ${type}(0))`;
    case "relu":
    case "sigmoid":
    case "tanh":
    case "normal":
    case "bell":
    case "softplus":
    case "exp":
    case "expm1":
    case "log":
    case "isnan":
      return called(FUNCTIONS[operator], leaves, x);
    case "sqrt":
      return code`sqrt(${x})`;
  }
}

/** A call of a function that is declared for vec4f. */
function called(name: Declared, { type }: Leaves, ...operands: readonly Code[]): Code {
  if (type === "vec4f") return code`${name}(${joined(operands, ", ")})`;
  const vectors = operands.map((each) => code`vec4f(${each})`);
  return code`${name}(${joined(vectors, ", ")}).x`;
}

const INFIX = {
  add: code`+`,
  subtract: code`-`,
  multiply: code`*`,
  divide: code`/`,
} as const;

type Binary = Extract<Expression, { kind: "binary" }>;

function printBinary(expression: Binary, leaves: Leaves): Code {
  const masked = selectionOf(expression);
  if (masked) return printMasked(masked, leaves);
  const { operator, left, right } = expression;
  switch (operator) {
    case "add":
    case "subtract":
    case "multiply":
    case "divide": {
      const least = TIGHTNESS[operator];
      const first = printOperand(left, leaves, least);
      // Operators are taken from the left: sums of floats are not associative.
      return code`${first} ${INFIX[operator]} ${printOperand(right, leaves, least + 1)}`;
    }
    case "maximum":
    case "minimum":
    case "power":
      return called(FUNCTIONS[operator], leaves, print(left, leaves), print(right, leaves));
  }
}

function printMasked({ condition, value }: Selection, leaves: Leaves): Code {
  const zero = code`${text(leaves.type)}(0)`;
  return code`select(${zero}, ${print(value, leaves)}, ${print(condition, leaves)} > ${zero})`;
}

/** Functions that the printed expressions call, in the order in which they are declared. */
export function expressionDeclarations(expressions: readonly Expression[]): readonly Declared[] {
  const some = (test: (part: Expression) => boolean) =>
    expressions.some((expression) => contains(expression, test));
  const used = Object.entries(FUNCTIONS).filter(([operator]) =>
    some((part) => "operator" in part && part.operator === operator),
  );
  const masks = [KEEP, KEEP_EXAMPLE].filter((mask) =>
    some((part) => part.kind === "keep" && keepFor(part.dropped) === mask),
  );
  const drawn = Object.entries(NOISE).filter(([distribution]) =>
    some((part) => part.kind === "noise" && part.distribution === distribution),
  );
  return [...masks, ...[...drawn, ...used].map(([, each]) => each)];
}

/** Whether an expression needs dropout's mask or noise, and so its element's place. */
export function readsMask(expression: Expression): boolean {
  return contains(expression, ({ kind }) => kind === "keep" || kind === "noise");
}

/** The operators that are functions of our own: WGSL's lose NaN, or make a number, somewhere. */
const FUNCTIONS = {
  relu: RELU,
  isnan: IS_NAN,
  ...SCALAR_FUNCTIONS,
  log: LOG,
  maximum: LARGER,
  minimum: SMALLER,
  power: POWER,
} as const;

/**
 * Short word for kernel names: `bias_relu`, `masked`, ... built from the operators, outermost last.
 */
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
    case "noise":
      return `${expression.distribution}_noise`;
    case "keep":
      return DROPOUT_WORDS[expression.dropped];
    case "unary":
      return join(describe(expression.argument), expression.operator);
    case "binary":
      return describeBinary(expression);
  }
}

const DROPOUT_WORDS: Readonly<Record<Dropped, string>> = {
  element: "dropout",
  channel: "channel_dropout",
  example: "stochastic_depth",
};

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
