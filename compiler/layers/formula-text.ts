/** From a scalar expression to the formula that a spec writes for it. */
import type { BinaryOperator, Expression, UnaryOperator } from "../ir/expression.js";

/** How tightly a formula's outermost operator binds. */
const SUM = 1;
const PRODUCT = 2;
const SIGN = 3;
const POWER = 4;
const ATOM = 5;

interface Written {
  readonly text: string;
  readonly binds: number;
}

const UNARY_NAMES: Partial<Record<UnaryOperator, string>> = {
  exp: "exp",
  expm1: "expm1",
  log: "log",
  sqrt: "sqrt",
  tanh: "tanh",
  normal: "normal_cdf",
  softplus: "softplus",
  sigmoid: "sigmoid",
  relu: "relu",
  positive: "positive",
};

const INFIX: Partial<Record<BinaryOperator, { readonly sign: string; readonly binds: number }>> = {
  add: { sign: "+", binds: SUM },
  subtract: { sign: "-", binds: SUM },
  multiply: { sign: "*", binds: PRODUCT },
  divide: { sign: "/", binds: PRODUCT },
};

const BINARY_NAMES: Partial<Record<BinaryOperator, string>> = { maximum: "max", minimum: "min" };

/**
 * The expression as a formula, which reads as the same expression.
 *
 * @param names what the formula calls the operands
 */
export function formulaText(expression: Expression, names: readonly string[]): string {
  return write(expression, names).text;
}

function write(expression: Expression, names: readonly string[]): Written {
  switch (expression.kind) {
    case "operand":
      return { text: names[expression.index]!, binds: ATOM };
    case "constant":
      return { text: String(expression.value), binds: expression.value < 0 ? SIGN : ATOM };
    case "unary":
      return writeUnary(expression, names);
    case "binary":
      return writeBinary(expression, names);
    default:
      throw new Error(`a formula cannot say \`${expression.kind}\``);
  }
}

function writeUnary(
  { operator, argument }: Extract<Expression, { kind: "unary" }>,
  names: readonly string[],
): Written {
  const written = write(argument, names);
  if (operator === "negate") return { text: `-${within(written, POWER)}`, binds: SIGN };
  const name = UNARY_NAMES[operator];
  if (name === undefined) throw new Error(`a formula cannot say \`${operator}\``);
  return { text: `${name}(${written.text})`, binds: ATOM };
}

function writeBinary(
  { operator, left, right }: Extract<Expression, { kind: "binary" }>,
  names: readonly string[],
): Written {
  const [first, second] = [write(left, names), write(right, names)];
  const sign = INFIX[operator];
  if (sign) {
    const { binds } = sign;
    // `a - (b - c)` needs its parentheses, and so does `a + (b + c)`, which rounds otherwise.
    const text = `${within(first, binds)} ${sign.sign} ${within(second, binds + 1)}`;
    return { text, binds };
  }
  if (operator === "power") {
    return { text: `pow(${first.text}, ${second.text})`, binds: ATOM };
  }
  return { text: `${BINARY_NAMES[operator]!}(${first.text}, ${second.text})`, binds: ATOM };
}

const within = ({ text, binds }: Written, least: number): string =>
  binds < least ? `(${text})` : text;
