/** Formulas as expressions of Python. */
import type { Expression, UnaryOperator } from "../../../compiler/ir/expression.js";
import {
  BINDS,
  type FormulaLanguage,
  formulaText,
  within,
  type Written,
} from "../../../compiler/layers/formula-text.js";

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

const PYTHON: FormulaLanguage = {
  unary(operator, { text }) {
    // Brackets around a comparison, which binds less than all else.
    if (operator === "positive") return { text: `(${text} > 0).float()`, binds: BINDS.atom };
    if (operator === "stop") return { text: `(${text}).detach()`, binds: BINDS.atom };
    if (operator === "isnan") return { text: `torch.isnan(${text}).float()`, binds: BINDS.atom };
    const callee = CALLS[operator];
    if (callee === undefined) throw new Error(`a formula cannot have \`${operator}\``);
    return { text: `${callee}(${text})`, binds: BINDS.atom };
  },
  binary(operator, left, right) {
    if (operator !== "power") {
      return { text: limited(operator === "maximum", left, right), binds: BINDS.atom };
    }
    const text = `${within(left, BINDS.atom)} ** ${within(right, BINDS.sign)}`;
    return { text, binds: BINDS.power };
  },
  selection(condition, value) {
    const isChosen = `${condition.text} > 0`;
    if (value.isNumber) {
      return { text: `${value.text} * (${isChosen}).float()`, binds: BINDS.product };
    }
    return { text: `torch.where(${isChosen}, ${value.text}, 0.0)`, binds: BINDS.atom };
  },
};

/** @param names of the values that it reads, which need no brackets */
export const pythonFormula = (expression: Expression, names: readonly string[]): string =>
  formulaText(expression, names, PYTHON);

/** The larger or smaller of two values, of which PyTorch wants a number as a limit. */
function limited(isMaximum: boolean, left: Written, right: Written): string {
  const limit = isMaximum ? "min" : "max";
  if (right.isNumber) return `torch.clamp(${left.text}, ${limit}=${right.text})`;
  if (left.isNumber) return `torch.clamp(${right.text}, ${limit}=${left.text})`;
  return `torch.${isMaximum ? "maximum" : "minimum"}(${left.text}, ${right.text})`;
}
