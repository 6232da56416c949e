import { expect, test } from "vitest";
import { code, local } from "../../compiler/kernels/code.js";
import { print } from "../../compiler/kernels/expression.js";
import { Printer } from "../../compiler/kernels/printer.js";
import { binary, constant, operand, unary, type Expression } from "../../compiler/ir/expression.js";

const printed = (expression: Expression) =>
  print(expression, {
    type: "f32",
    operand: (index) => local("abc"[index]!),
    channel: () => local("v"),
    counter: () => code`0u`,
  }).print(new Printer());

const [a, b, c] = [operand(0), operand(1), operand(2)];

test.each([
  ["a + b + c", binary("add", binary("add", a, b), c)],
  ["a + (b + c)", binary("add", a, binary("add", b, c))],
  ["a - (b - c)", binary("subtract", a, binary("subtract", b, c))],
  ["a - b - c", binary("subtract", binary("subtract", a, b), c)],
  ["(a + b) * c", binary("multiply", binary("add", a, b), c)],
  ["a + b * c", binary("add", a, binary("multiply", b, c))],
  ["a * b / c", binary("divide", binary("multiply", a, b), c)],
  ["a / (b * c)", binary("divide", a, binary("multiply", b, c))],
  ["-(a + b)", unary("negate", binary("add", a, b))],
  ["-(-a)", unary("negate", unary("negate", a))],
  ["a - -b", binary("subtract", a, unary("negate", b))],
  ["sqrt(a + f32(2.0))", unary("sqrt", binary("add", a, constant(2)))],
  [
    "select(f32(0), a + b, c > f32(0)) * a",
    binary("multiply", binary("multiply", unary("positive", c), binary("add", a, b)), a),
  ],
])("%s has the parentheses that it needs", (wgsl, expression) => {
  expect(printed(expression)).toBe(wgsl);
});
