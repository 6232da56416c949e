/** Scalar functions and their slopes on a device, compared with double precision. */
import { predictions } from "../../compiler/ops/builder.js";
import { expect, test } from "vitest";
import { derivative } from "../../compiler/ir/expression-derivative.js";
import { evaluate } from "../../compiler/ir/expression-evaluate.js";
import { operand, unary, type Expression } from "../../compiler/ir/expression.js";
import { makeProgram } from "../../compiler/program.js";
import { analyze } from "../../compiler/semantics/index.js";
import { createNetwork } from "../../runtime/index.js";
import { environment } from "../ir/helpers.js";
import { Chain } from "../passes/chain.js";
import { OPTIMIZER } from "./compare.js";

/** From -100 to 100, and towards 0 from both sides. */
const GRID = Float32Array.from([
  ...Array.from({ length: 401 }, (_, index) => -100 + index / 2),
  ...Array.from({ length: 161 }, (_, index) => -4 + index / 20),
  ...Array.from({ length: 31 }, (_, index) => 10 ** -index),
  ...Array.from({ length: 31 }, (_, index) => -(10 ** -index)),
]);

/** What a layer computes of an element. */
function expressionOf(layer: string): Expression {
  const text = `model M {\n  input x: f32[N, 4]\n  ${layer}\n}\n`;
  const { selected, diagnostics } = analyze(text, "m.net");
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const node = selected!.model.graph!.nodes.find(({ kind }) => kind === "pointwise")!;
  return (node.attributes as { readonly expression: Expression }).expression;
}

async function onDevice(expression: Expression): Promise<Float32Array> {
  const { builder, value } = new Chain(["N", GRID.length]).pointwise(expression);
  const graph = builder.finish({ outputs: predictions(value), metrics: [] });
  const source = { file: "m.net", hash: "0" };
  const programs = (["gpu", "lanes8", "lanes4"] as const).map((target) =>
    makeProgram(graph, { target, source, optimizer: OPTIMIZER }),
  );
  const network = await createNetwork(programs, { batch: 1 });
  try {
    return await network.predict(GRID);
  } finally {
    network.destroy();
  }
}

/**
 * What is below the least normal number may be read as 0: results, and the halves of which they
 * are made.
 */
const LEAST = 2.4e-38;

/** Where slopes change their sign, two terms of about 1 cancel. */
const crossesZero = (x: number) => x > -2 && x < -0.5;
const CANCELED = 1.2e-7;

function expectPrecise(actual: Float32Array, expression: Expression, tolerance: number): void {
  const wrong = [...GRID].flatMap((x, index) => {
    const expected = evaluate(expression, environment([x]));
    const isInfinite = Math.abs(expected) > 3.4e38;
    const least = crossesZero(x) ? CANCELED : LEAST * Math.max(1, Math.abs(x));
    const size = Math.abs(expected) * tolerance + least;
    const isRight = isInfinite
      ? actual[index] === Math.sign(expected) * Infinity
      : Math.abs(actual[index]! - expected) <= size;
    return isRight ? [] : [`at ${x}: ${actual[index]}, expected ${expected}`];
  });
  expect(wrong).toEqual([]);
}

const LAYERS = [
  ...["relu", "relu6", "hardsigmoid", "hardswish", "leaky_relu(0.1)", "elu", "elu(0.5)", "tanh"],
  ...["sigmoid", "silu", "softplus", "softplus(2)", "mish", "gelu"],
].map((layer) => ({ layer, tolerance: 1e-6 }));

test.each([
  ...LAYERS,
  // The cube of x has an error, which the exponential multiplies by as much as it is
  // large.
  { layer: "gelu(approximate=tanh)", tolerance: 5e-5 },
])("$layer, and its slope", async ({ layer, tolerance }) => {
  const expression = expressionOf(layer);
  expectPrecise(await onDevice(expression), expression, tolerance);
  const slope = derivative(expression, { kind: "operand", index: 0 });
  if (slope.kind !== "constant") expectPrecise(await onDevice(slope), slope, tolerance);
});

test.each(["exp", "expm1", "normal", "bell", "softplus", "tanh", "sigmoid"] as const)(
  "%s of its argument",
  async (operator) => {
    const expression = unary(operator, operand(0));
    expectPrecise(await onDevice(expression), expression, 1e-6);
  },
);
