import fc from "fast-check";
import {
  binary,
  channel,
  constant,
  operand,
  unary,
  type Expression,
} from "../../compiler/ir/expression.js";

/**
 * Expressions over operands 0 and 1 and channel 2 whose values and slopes are tame for operands in
 * [0.5, 1.5].
 */
export const expressions: fc.Arbitrary<Expression> = fc.letrec<{ expression: Expression }>(
  (tie) => ({
    expression: fc.oneof(
      { maxDepth: 4, depthIdentifier: "expression" },
      fc.constantFrom(operand(0), operand(1), channel(2)),
      fc.constantFrom(0, 1, -1, 0.5, 2).map(constant),
      fc
        .tuple(fc.constantFrom("negate", "tanh", "sigmoid", "relu", "positive"), tie("expression"))
        .map(([operator, argument]) => unary(operator as "tanh", argument)),
      fc
        .tuple(
          fc.constantFrom("add", "subtract", "multiply", "maximum", "minimum"),
          tie("expression"),
          tie("expression"),
        )
        .map(([operator, left, right]) => binary(operator as "add", left, right)),
    ),
  }),
).expression;

/** An environment in which leaf i has the i-th value. */
export const environment = (values: readonly number[]) => ({
  operand: (index: number) => values[index]!,
  channel: (index: number) => values[index]!,
  keep: () => 1,
  noise: () => 1,
  batchShare: 1,
});
