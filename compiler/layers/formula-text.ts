/** From a scalar expression to the formula that a spec writes for it. */
import type { BinaryOperator, Expression, UnaryOperator } from "../ir/expression.js";
import { selectionOf } from "../ir/expression-choice.js";

/** How tightly the outermost operator of a text binds. */
export const BINDS = { sum: 1, product: 2, sign: 3, power: 4, atom: 5 } as const;

export interface Written {
  readonly text: string;
  readonly binds: number;
  readonly isNumber?: boolean;
}

/** How a language writes what is not a sum, a product or a sign. */
export interface FormulaLanguage {
  unary(operator: UnaryOperator, argument: Written): Written;
  binary(operator: BinaryOperator, left: Written, right: Written): Written;
  /**
   * `value` where the condition is above 0, else 0, also where the value is infinite or NaN. A
   * product where a language leaves it out.
   */
  selection?(condition: Written, value: Written): Written;
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
  stop: "stop",
  isnan: "isnan",
};

const INFIX: Partial<Record<BinaryOperator, { readonly sign: string; readonly binds: number }>> = {
  add: { sign: "+", binds: BINDS.sum },
  subtract: { sign: "-", binds: BINDS.sum },
  multiply: { sign: "*", binds: BINDS.product },
  divide: { sign: "/", binds: BINDS.product },
};

const BINARY_NAMES: Partial<Record<BinaryOperator, string>> = { maximum: "max", minimum: "min" };

/** What netc's specs write. */
const SPECS: FormulaLanguage = {
  unary(operator, { text }) {
    const name = UNARY_NAMES[operator];
    if (name === undefined) throw new Error(`a formula cannot say \`${operator}\``);
    return { text: `${name}(${text})`, binds: BINDS.atom };
  },
  binary(operator, left, right) {
    const name = operator === "power" ? "pow" : BINARY_NAMES[operator]!;
    return { text: `${name}(${left.text}, ${right.text})`, binds: BINDS.atom };
  },
};

/**
 * The expression as a formula, which reads as the same expression.
 *
 * @param names what the formula calls the operands
 */
export function formulaText(
  expression: Expression,
  names: readonly string[],
  language: FormulaLanguage = SPECS,
): string {
  return write(expression, names, language).text;
}

function write(
  expression: Expression,
  names: readonly string[],
  language: FormulaLanguage,
): Written {
  switch (expression.kind) {
    case "operand":
      return { text: names[expression.index]!, binds: BINDS.atom };
    case "constant": {
      const { value } = expression;
      return { text: String(value), binds: value < 0 ? BINDS.sign : BINDS.atom, isNumber: true };
    }
    case "unary": {
      const argument = write(expression.argument, names, language);
      if (expression.operator !== "negate") return language.unary(expression.operator, argument);
      return { text: `-${within(argument, BINDS.power)}`, binds: BINDS.sign };
    }
    case "binary":
      return writeBinary(expression, names, language);
    default:
      throw new Error(`a formula cannot say \`${expression.kind}\``);
  }
}

function writeBinary(
  { operator, left, right }: Omit<Extract<Expression, { kind: "binary" }>, "kind">,
  names: readonly string[],
  language: FormulaLanguage,
): Written {
  const selection = language.selection && selectionOf({ operator, left, right });
  if (selection) {
    const { condition, value } = selection;
    return language.selection!(write(condition, names, language), write(value, names, language));
  }
  const [first, second] = [write(left, names, language), write(right, names, language)];
  const sign = INFIX[operator];
  if (!sign) return language.binary(operator, first, second);
  const { binds } = sign;
  // `a - (b - c)` needs its parentheses, and so does `a + (b + c)`, which rounds otherwise.
  const text = `${within(first, binds)} ${sign.sign} ${within(second, binds + 1)}`;
  return { text, binds };
}

/** The text in parentheses where it binds less than needed. */
export const within = ({ text, binds }: Written, least: number): string =>
  binds < least ? `(${text})` : text;
