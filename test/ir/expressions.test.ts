import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { derivative } from "../../compiler/ir/expression-derivative.js";
import { evaluate } from "../../compiler/ir/expression-evaluate.js";
import { simplify } from "../../compiler/ir/expression-simplify.js";
import { compactInputs, leaves, substitute } from "../../compiler/ir/expression-transform.js";
import {
  add,
  binary,
  channel,
  constant,
  keep,
  multiply,
  operand,
  subtract,
  unary,
  type Expression,
} from "../../compiler/ir/expression.js";
import { formatExpression } from "../../compiler/ir/print.js";
import { environment, expressions } from "./helpers.js";

const x = operand(0);
const y = operand(1);
const SAMPLES = [
  [0.61, 1.13, 0.87],
  [1.31, 0.77, 1.47],
] as const;

const RUNS = { seed: 11, numRuns: 500 };

describe("simplify", () => {
  const cases: readonly (readonly [Expression, string])[] = [
    [add(x, constant(0)), "$0"],
    [subtract(constant(0), x), "negate($0)"],
    [multiply(constant(1), x), "$0"],
    [multiply(x, constant(0)), "0"],
    [multiply(x, constant(-1)), "negate($0)"],
    [multiply(multiply(x, constant(2)), constant(3)), "6 * $0"],
    [multiply(x, multiply(constant(2), y)), "2 * ($0 * $1)"],
    [unary("negate", unary("negate", x)), "$0"],
    [unary("positive", unary("relu", x)), "positive($0)"],
    [binary("power", x, constant(1)), "$0"],
    [add(constant(1), unary("sqrt", constant(4))), "3"],
    [multiply(x, keep(0, 3)), "$0"],
    [multiply(x, keep(0.5, 3)), "$0 * keep(0.5, stream 3)"],
  ];
  test.each(cases)("%j is %s", (expression, wanted) => {
    expect(formatExpression(simplify(expression))).toBe(wanted);
  });

  test("keeps the value, and a second time changes nothing", () => {
    fc.assert(
      fc.property(expressions, (expression) => {
        const simple = simplify(expression);
        for (const values of SAMPLES) {
          const wanted = evaluate(expression, environment(values));
          expect(evaluate(simple, environment(values))).toBeCloseTo(wanted, 9);
        }
        expect(simplify(simple)).toEqual(simple);
      }),
      RUNS,
    );
  });
});

describe("derivative", () => {
  test("agrees with finite differences", () => {
    fc.assert(
      fc.property(expressions, fc.constantFrom(0, 1, 2), (expression, index) => {
        const leaf = index === 2 ? channel(2) : operand(index);
        const slope = derivative(expression, leaf as Parameters<typeof derivative>[1]);
        for (const values of SAMPLES) {
          const at = (shift: number) =>
            evaluate(
              expression,
              environment(values.map((value, i) => (i === index ? value + shift : value))),
            );
          // At a kink the slopes to both sides differ, and so may the derivative.
          const right = (at(1e-6) - at(0)) / 1e-6;
          const left = (at(0) - at(-1e-6)) / 1e-6;
          if (Math.abs(right - left) > 1e-3 * (1 + Math.abs(right))) continue;
          const wanted = (right + left) / 2;
          const actual = evaluate(slope, environment(values));
          expect(Math.abs(actual - wanted)).toBeLessThan(1e-3 * (1 + Math.abs(wanted)));
        }
      }),
      RUNS,
    );
  });

  const outputs: readonly (readonly [Expression, string])[] = [
    [unary("relu", x), "positive($1)"],
    [unary("sigmoid", x), "$1 * (1 - $1)"],
    [unary("tanh", x), "1 - ($1 * $1)"],
    [unary("exp", x), "$1"],
    [unary("sqrt", x), "0.5 / $1"],
    [unary("relu", add(x, channel(2))), "positive($1)"],
  ];
  test.each(outputs)("of %j at the root is written in terms of the output", (root, wanted) => {
    const slope = derivative(root, { kind: "operand", index: 0 }, y);
    expect(formatExpression(slope)).toBe(wanted);
  });
});

describe("substitution", () => {
  test("fuses one expression into another", () => {
    const outer = multiply(operand(0), operand(1));
    const inner = unary("relu", add(operand(0), channel(2)));
    const fused = substitute(outer, (leaf) => (leaf.index === 0 ? inner : leaf));
    expect(formatExpression(fused)).toBe("relu($0 + $2[c]) * $1");
  });

  test("compacts inputs: those not read go, the same ones become one", () => {
    const expression = add(operand(3), multiply(channel(1), operand(2)));
    const compact = compactInputs(["a", "b", "c", "c"], expression);
    expect(compact.inputs).toEqual(["c", "b"]);
    expect(formatExpression(compact.expression)).toBe("$0 + ($1[c] * $0)");
    expect(leaves(compact.expression)).toHaveLength(3);
  });
});
