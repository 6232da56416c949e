import type { Alias } from "../diagnostics/alias.js";
import { add, binary, unary, type Expression } from "../ir/expression.js";
import { choose } from "../ir/expression-choice.js";
import { power } from "./formula-power.js";

/** A function of values, element by element. */
export interface FormulaFunction {
  readonly name: string;
  readonly aliases: readonly Alias[];
  readonly summary: string;
  /** What it takes; the last of `max` and `min` may come more than once. */
  readonly parameters: readonly string[];
  readonly takesMore?: true;
  readonly example: string;
  /** Whether it makes numbers of classes: `one_hot`, which the reader of formulas knows itself. */
  readonly isOfClasses?: true;
  build(values: readonly Expression[]): Expression;
}

const ofOne = (
  name: string,
  summary: string,
  build: (x: Expression) => Expression,
  aliases: readonly Alias[] = [],
): FormulaFunction => ({
  name,
  aliases,
  summary,
  parameters: ["x"],
  example: `${name}(x)`,
  build: ([x]) => build(x!),
});

/**
 * Functions of formulas, in addition to the activations, which are layers as well. Each is one
 * operator of scalar expressions, or made of some.
 */
export const formulaFunctions: readonly FormulaFunction[] = [
  ofOne("exp", "e to the power of x", (x) => unary("exp", x)),
  ofOne("expm1", "exp(x) - 1, exact near 0", (x) => unary("expm1", x)),
  ofOne("log", "the natural logarithm; NaN below 0", (x) => unary("log", x), ["ln"]),
  ofOne("sqrt", "the square root; NaN below 0", (x) => unary("sqrt", x)),
  ofOne("abs", "x without its sign; its slope at 0 is 0", magnitude, ["fabs", "absolute"]),
  ofOne("normal_cdf", "the standard normal distribution up to x", (x) => unary("normal", x)),
  ofOne("positive", "1 where x > 0, else 0; its slope is 0", (x) => unary("positive", x), [
    "heaviside",
    "step",
  ]),
  ofOne("isnan", "1 where x is NaN, else 0; its slope is 0", (x) => unary("isnan", x), ["is_nan"]),
  {
    name: "pow",
    aliases: ["power"],
    summary: "x to the power of y; NaN below 0 unless y is an integer",
    parameters: ["x", "y"],
    example: "pow(x, 1.5)",
    build: ([x, y]) => power(x!, y!),
  },
  {
    name: "min",
    aliases: ["minimum"],
    summary: "the smallest of its arguments",
    parameters: ["x", "y"],
    takesMore: true,
    example: "min(x, 6)",
    build: (values) => values.reduce((a, b) => binary("minimum", a, b)),
  },
  {
    name: "max",
    aliases: ["maximum"],
    summary: "the largest of its arguments",
    parameters: ["x", "y"],
    takesMore: true,
    example: "max(x, y)",
    build: (values) => values.reduce((a, b) => binary("maximum", a, b)),
  },
  {
    name: "where",
    aliases: ["select", "cond"],
    summary: "x where the condition is above 0, else y",
    parameters: ["condition", "x", "y"],
    example: "where(x > 0, x, 0.1 * x)",
    build: ([condition, x, y]) => choose(condition!, x!, y!),
  },
  {
    name: "one_hot",
    aliases: ["onehot", "OneHot", "to_categorical"],
    summary: "of a target of classes in a loss or metric, 1 in the channel of the class, else 0",
    parameters: ["label"],
    example: "one_hot(label)",
    isOfClasses: true,
    build: ([label]) => label!,
  },
  {
    name: "clamp",
    aliases: [],
    summary: "x, but at least the second and at most the third argument",
    parameters: ["x", "least", "largest"],
    example: "clamp(x, 0, 1)",
    build: ([x, least, largest]) => binary("minimum", binary("maximum", x!, least!), largest!),
  },
];

/** Two slopes of relu meet at 0, where both are 0. */
export function magnitude(x: Expression): Expression {
  return add(unary("relu", x), unary("relu", unary("negate", x)));
}

export function findFormulaFunction(name: string): FormulaFunction | undefined {
  return formulaFunctions.find((each) => each.name === name);
}
