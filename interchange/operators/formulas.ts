/** Operators that are formulas: each element by itself, of values and of single numbers. */
import { choose, COMPARISONS, both, either, not } from "../../compiler/ir/expression-choice.js";
import { simplify } from "../../compiler/ir/expression-simplify.js";
import { compactInputs } from "../../compiler/ir/expression-transform.js";
import { binary, constant, operand, unary, type Expression } from "../../compiler/ir/expression.js";
import { formula } from "../../compiler/layers/formula.js";
import { magnitude } from "../../compiler/layers/formula-functions.js";
import { LARGEST_INTEGER_POWER, power } from "../../compiler/layers/formula-power.js";
import type { ForeignTensor } from "../foreign-graph.js";
import { shapeOf, type Feature, type Known } from "../known.js";
import type { NodeContext } from "../node-context.js";
import { shortest } from "./activations.js";
import { inOneOrder } from "./orders.js";

type Build = (...values: readonly Expression[]) => Expression;

/** A layer `let` of the node's inputs, of which one depends on the network's input. */
export function formulaOf(context: NodeContext, build: Build): Feature {
  const given = context.inputs.map((input, index) =>
    input?.is === "constant" ? numberOf(context, input.tensor) : context.feature(index),
  );
  const features = given.filter((each) => typeof each === "object");
  if (features.length === 0) context.refuse("it depends on no input of the network");
  const values = sameAxes(context, inOneOrder(context, features));
  let next = 0;
  const operands = given.map((each) =>
    typeof each === "number" ? constant(each) : operand(next++),
  );
  const { inputs, expression } = compactInputs(values, simplify(build(...operands)));
  if (inputs.length === 0) context.refuse("it computes the same whatever the input is");
  const layer = context.layer(formula.name, inputs, { expression });
  return { ...layer, order: inputs[0]!.order };
}

/** One number, or several that are equal. */
function numberOf(context: NodeContext, { values, shape }: ForeignTensor): number {
  const [first] = values;
  if (first !== undefined && values.every((value: number) => value === first)) {
    return shortest(first);
  }
  return context.refuse(
    `its constant [${shape.join(", ")}] has several numbers`,
    "formulas have values of the network and single numbers",
  );
}

function sameAxes(context: NodeContext, values: readonly Feature[]): readonly Feature[] {
  const [first] = values as [Feature, ...Feature[]];
  const other = values.find(({ stored }) => stored.length !== first.stored.length);
  if (!other) return values;
  const ranks = [first, other].map((value) => shapeOf(value).length);
  return context.refuse(`it computes with values of ${ranks.join(" and of ")} axes`);
}

const formulas =
  (build: Build) =>
  (context: NodeContext): Known =>
    formulaOf(context, build);

/** Of any number of inputs. */
const folded = (operator: "minimum" | "maximum") =>
  formulas((...values) => values.reduce((a, b) => binary(operator, a, b)));

/** Integers that `power` does not multiply out would be wrong for numbers below 0. */
function raised(context: NodeContext): Known {
  const [base, exponent] = context.inputs;
  const isOfNumber = base?.is === "constant" && numberOf(context, base.tensor) > 0;
  if (exponent?.is !== "constant" && !isOfNumber) {
    context.refuse("its exponent is a value", "only powers of a number above 0 have such");
  }
  const value = exponent?.is === "constant" ? numberOf(context, exponent.tensor) : 1;
  if (Number.isInteger(value) && Math.abs(value) > LARGEST_INTEGER_POWER) {
    context.refuse(
      `its exponent is ${value}`,
      `integers of at most ${LARGEST_INTEGER_POWER} have powers of numbers below 0`,
    );
  }
  return formulaOf(context, (x, y) => power(x, y));
}

const compared = (sign: string) => formulas((a, b) => COMPARISONS[sign]!(a, b));

export const FORMULAS = {
  Abs: formulas((x) => magnitude(x)),
  And: formulas((a, b) => both(a, b)),
  Equal: compared("=="),
  Exp: formulas((x) => unary("exp", x)),
  Greater: compared(">"),
  GreaterOrEqual: compared(">="),
  IsNaN: formulas((x) => unary("isnan", x)),
  Less: compared("<"),
  LessOrEqual: compared("<="),
  Log: formulas((x) => unary("log", x)),
  Max: folded("maximum"),
  Min: folded("minimum"),
  Not: formulas((x) => not(x)),
  Or: formulas((a, b) => either(a, b)),
  Pow: raised,
  Reciprocal: formulas((x) => binary("divide", constant(1), x)),
  Sqrt: formulas((x) => unary("sqrt", x)),
  Where: formulas((condition, x, y) => choose(condition, x, y)),
} as const;

export const difference = (context: NodeContext): Known =>
  formulaOf(context, (a, b) => binary("subtract", a, b));

export const quotient = (context: NodeContext): Known =>
  formulaOf(context, (a, b) => binary("divide", a, b));
