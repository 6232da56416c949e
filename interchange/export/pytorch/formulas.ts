/** Formulas as expressions of Python. */
import type { BinaryOperator, Expression, UnaryOperator } from "../../../compiler/ir/expression.js";

/** How tightly the outermost operator of a text binds. */
interface Written {
  readonly text: string;
  readonly binds: number;
}

const SUM = 1;
const PRODUCT = 2;
const SIGN = 3;
const POWER = 4;
const ATOM = 5;

const CALLS: Partial<Record<UnaryOperator, string>> = {
  exp: "torch.exp",
  expm1: "torch.expm1",
  log: "torch.log",
  sqrt: "torch.sqrt",
  tanh: "torch.tanh",
  normal: "torch.special.ndtr",
  softplus: "F.softplus",
  sigmoid: "torch.sigmoid",
  relu: "F.relu",
};

const INFIX: Partial<Record<BinaryOperator, { readonly sign: string; readonly binds: number }>> = {
  add: { sign: "+", binds: SUM },
  subtract: { sign: "-", binds: SUM },
  multiply: { sign: "*", binds: PRODUCT },
  divide: { sign: "/", binds: PRODUCT },
};

/** @param names of the values that it reads, which need no brackets */
export function pythonFormula(expression: Expression, names: readonly string[]): string {
  return write(expression, names).text;
}

function write(expression: Expression, names: readonly string[]): Written {
  switch (expression.kind) {
    case "operand":
      return { text: names[expression.index]!, binds: ATOM };
    case "constant":
      return { text: String(expression.value), binds: expression.value < 0 ? SIGN : ATOM };
    case "unary":
      return writeUnary(expression.operator, write(expression.argument, names));
    case "binary":
      return writeBinary(expression, names);
    default:
      throw new Error(`a formula cannot have \`${expression.kind}\``);
  }
}

function writeUnary(operator: UnaryOperator, argument: Written): Written {
  if (operator === "negate") return { text: `-${within(argument, POWER)}`, binds: SIGN };
  // Brackets around a comparison, which binds less than all else.
  if (operator === "positive") return { text: `(${argument.text} > 0).float()`, binds: ATOM };
  const callee = CALLS[operator];
  if (callee === undefined) throw new Error(`a formula cannot have \`${operator}\``);
  return { text: `${callee}(${argument.text})`, binds: ATOM };
}

function writeBinary(
  { operator, left, right }: Extract<Expression, { kind: "binary" }>,
  names: readonly string[],
): Written {
  const [first, second] = [write(left, names), write(right, names)];
  const sign = INFIX[operator];
  if (sign) {
    const { binds } = sign;
    const text = `${within(first, binds)} ${sign.sign} ${within(second, binds + 1)}`;
    return { text, binds };
  }
  if (operator === "power") {
    return { text: `${within(first, ATOM)} ** ${within(second, SIGN)}`, binds: POWER };
  }
  return { text: limited(operator === "maximum", [left, first], [right, second]), binds: ATOM };
}

/** The larger or smaller of two values, of which PyTorch wants a number as a limit. */
function limited(
  isMaximum: boolean,
  [left, first]: readonly [Expression, Written],
  [right, second]: readonly [Expression, Written],
): string {
  const limit = isMaximum ? "min" : "max";
  if (right.kind === "constant") return `torch.clamp(${first.text}, ${limit}=${second.text})`;
  if (left.kind === "constant") return `torch.clamp(${second.text}, ${limit}=${first.text})`;
  return `torch.${isMaximum ? "maximum" : "minimum"}(${first.text}, ${second.text})`;
}

const within = ({ text, binds }: Written, least: number): string =>
  binds < least ? `(${text})` : text;
