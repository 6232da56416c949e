import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { evaluate } from "../../compiler/ir/expression-evaluate.js";
import { simplify } from "../../compiler/ir/expression-simplify.js";
import { compactInputs, leaves } from "../../compiler/ir/expression-transform.js";
import { binary, constant, operand, unary, type Expression } from "../../compiler/ir/expression.js";
import { printGraph } from "../../compiler/ir/print.js";
import { formulaText } from "../../compiler/layers/formula-text.js";
import { build } from "../../compiler/network/build.js";
import { print } from "../../compiler/network/print.js";
import type { ResolvedNetwork } from "../../compiler/network/resolved.js";
import { verify } from "../../compiler/ops/verify.js";
import { analyze } from "../../compiler/semantics/index.js";
import { expectRoundTrip, networksOf } from "./round-trip.js";
import { casesOf } from "../counts.js";

const NAMES = ["a", "b", "c"];

/** A model with three values and these statements, and what is before and after it. */
function specOf(statements: string, { declarations = "", loss = "mse(out, wanted)" } = {}) {
  return `${declarations}
model Net {
  input  image: f32[N, 3, 6, 6]
  target wanted: f32[N, 4]

  conv(8, kernel=3, padding=1) as a -> batchnorm as b -> tanh as c
  ${statements}
  flatten -> linear(4) as out

  loss ${loss}
}
`;
}

function networkOf(statements: string, rest?: Parameters<typeof specOf>[1]): ResolvedNetwork {
  return networksOf(specOf(statements, rest))[0]!;
}

const errorsOf = (text: string) =>
  analyze(text, "m.net")
    .diagnostics.filter(({ severity }) => severity === "error")
    .map(({ code, message }) => `${code} ${message}`);

/** The formulas of a network's layers, with a, b, c for what each reads. */
const formulasOf = ({ layers }: ResolvedNetwork) =>
  layers
    .filter(({ definition }) => definition.name === "let")
    .map(({ values }) => formulaText(values.expression as Expression, NAMES));

const formulas: fc.Arbitrary<Expression> = fc.letrec<{ formula: Expression }>((tie) => ({
  formula: fc.oneof(
    { maxDepth: 5, depthIdentifier: "formula" },
    fc.constantFrom(0, 1, 2).map(operand),
    fc.constantFrom(2, 0.5, -3, 1e-7, 12345.678, 1.3).map(constant),
    fc
      .tuple(
        fc.constantFrom("negate", "exp", "tanh", "normal", "softplus", "relu", "positive", "log"),
        tie("formula"),
      )
      .map(([operator, argument]) => unary(operator as "exp", argument)),
    fc
      .tuple(
        fc.constantFrom("add", "subtract", "multiply", "divide", "maximum", "minimum"),
        tie("formula"),
        tie("formula"),
      )
      .map(([operator, left, right]) => binary(operator as "add", left, right)),
    tie("formula").map((base) => binary("power", base, constant(1.3))),
  ),
})).formula;

describe("the text of a formula", () => {
  test("reads as the same formula", () => {
    fc.assert(
      fc.property(formulas, (random) => {
        const { inputs, expression } = compactInputs(NAMES, simplify(random));
        fc.pre(leaves(expression).length > 0 && !text(random).includes("Infinity"));
        const network = networkOf(`let y = ${formulaText(expression, inputs)}`);
        const { values, inputs: read } = network.layers.find(({ name }) => name === "y")!;
        expect(read.map(({ index }) => NAMES[index])).toEqual(inputs);
        expect(values.expression).toEqual(expression);
        expectRoundTrip(network);
      }),
      { seed: 5, numRuns: casesOf(200) },
    );
  });

  const text = (expression: Expression) => formulaText(simplify(expression), NAMES);

  test.each([
    ["-a^2", "-(a * a)"],
    ["(-a)^2", "-a * -a"],
    ["a^-1", "1 / a"],
    ["2^3^2 * a", "512 * a"],
    ["a - (b - c)", "a - (b - c)"],
    ["a - b - c", "a - b - c"],
    ["a ** 0.5", "sqrt(a)"],
    ["7 % 4 * a", "3 * a"],
    ["max(a, 1, b)", "max(max(a, 1), b)"],
    ["clamp(a, 0, least=1)", undefined],
    ["abs(-2) * floor(1.5) * a", "2 * a"],
  ])("%s", (written, wanted) => {
    if (wanted === undefined) return expect(errorsOf(specOf(`let y = ${written}`))).not.toEqual([]);
    expect(formulasOf(networkOf(`let y = ${written}`))).toEqual([wanted]);
  });
});

describe("conditions in formulas", () => {
  const conditions = (written: string) => {
    const [network] = networksOf(specOf(`let y = ${written}`));
    const { values } = network!.layers.find(({ definition }) => definition.name === "let")!;
    const none = () => NaN;
    return (...given: readonly number[]) =>
      evaluate(values["expression"] as Expression, {
        operand: (index) => given[index]!,
        channel: none,
        keep: none,
        noise: none,
        batchShare: NaN,
      });
  };
  const numbers = [-1, 0, 0.5, 1, 2, NaN, Infinity, -Infinity];

  test.each<[string, (a: number, b: number) => boolean]>([
    ["a > 0 and b < 1", (a, b) => a > 0 && b < 1],
    ["a > 0 or b < 1", (a, b) => a > 0 || b < 1],
    ["not a > 0 or b != b", (a, b) => !(a > 0) || b !== b],
    ["not (a == b and a >= 0)", (a, b) => !(a === b && a >= 0)],
    ["a > 0 or b > 0 and a < b", (a, b) => a > 0 || (b > 0 && a < b)],
    ["(a > 0 or b > 0) and not isnan(a)", (a, b) => (a > 0 || b > 0) && !Number.isNaN(a)],
    ["a <= b and true", (a, b) => a <= b],
    ["a <= b or 2 > 1 and b == a + 0", (a, b) => a <= b || b === a],
    ["(a > 0 and b > 0) == (a < 1 or b < 1)", (a, b) => (a > 0 && b > 0) === (a < 1 || b < 1)],
  ])("%s is 1 or 0, as in Python", (written, expected) => {
    const value = conditions(written);
    for (const a of numbers) {
      for (const b of numbers) expect([a, b, value(a, b)]).toEqual([a, b, +expected(a, b)]);
    }
  });

  test("choose with where, whatever the other value is", () => {
    const value = conditions("where(a > 0 and b > 0, log(a * b), b)");
    expect(value(-1, 3)).toBe(3);
    expect(value(Math.E, 1)).toBeCloseTo(1);
    const flag = conditions("where(isOn and a > 0, a, b)".replace("isOn", "2 > 1"));
    expect([flag(1, 5), flag(-1, 5)]).toEqual([1, 5]);
  });

  test("go with a function's parameters", () => {
    const declarations =
      "fn inside(x, low: float, isStrict: bool = true) =\
 x > low and (x < 1 or not isStrict)";
    const network = networkOf("let y = inside(a, 0) + inside(b, 0, isStrict=false)", {
      declarations,
    });
    expect(formulasOf(network)).toHaveLength(1);
    expectRoundTrip(network);
  });

  test.each([
    ["a and b > 0", "`and` needs a condition, but this is a number"],
    ["a > 0 or 2 * b", "`or` needs a condition, but this is a number"],
    ["not a", "`not` needs a condition, but this is a number"],
    ["0 < a < 1", "comparisons do not chain"],
    ["(a > 0) & (b > 0)", "`&` means nothing here: write `and`"],
  ])("%s is refused", (written, message) => {
    expect(errorsOf(specOf(`let y = ${written}`)).join()).toContain(message);
  });
});

describe("what tensor libraries write", () => {
  const notes = (written: string) =>
    analyze(specOf(`let y = ${written}`), "m.net")
      .diagnostics.map((found) => [found.message, ...found.notes].join("\n"))
      .join("\n");

  test.each([
    ["torch.exp(a)", "without `torch.`"],
    ["F.relu(a)", "without `F.`"],
    ["a.mean(1)", "functions come before their values"],
    ["log2(a)", "`log(x) / log(2)`"],
    ["norm(a)", "`sqrt(sum(x^2, over=channels))`"],
    ["torch_norm(a)", "there is no function"],
    ["logical_and(a, b)", "`x > 0 and y > 0`"],
    ["cat(a, b)", "the layer `concat(y)` joins values"],
    ["floor(a + 1)", "`floor` computes with constants, and not with values"],
    ["log(-1) * a", "this is not a number (NaN)"],
    ["a if a > 0 else b", "`where` chooses one of two values"],
    ["if a > 0 then a else b", "`where` chooses one of two values"],
    ["a > 0 ? a : b", "`where(condition, x, y)`"],
    ["a @ b", "the layer `matmul(y)`"],
    ["mean(a, over=channels, keepdim=true)", "axes always stay"],
  ])("%s: %s", (written, expected) => {
    expect(notes(written)).toContain(expected);
  });
});

describe("let", () => {
  test("makes the graph of the layer that says the same", () => {
    const graphOf = (statement: string) =>
      printGraph(build(networkOf(statement))).replaceAll(/\b(y|silu1)\b/g, "value");
    expect(graphOf("let y = c * sigmoid(c)")).toBe(graphOf("silu as y"));
  });

  test("gives one number a channel to all pixels", () => {
    const network = networkOf("global_avgpool -> sigmoid as gate\n  let y = gate * a + gate");
    expect(network.layers.find(({ name }) => name === "y")!.type.shape).toEqual(["N", 8, 6, 6]);
    verify(build(network));
  });

  test("has a name in sections, loops and blocks, and prints there", () => {
    const network = networkOf(
      "part { let y = a * b }\n  repeat 2 { tanh as t\n  let z = t + 1 }\n  half(2)",
      { declarations: "block half(by: float) { identity as x\n  let y = x / by }" },
    );
    const names = network.layers.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["part.y", "z1", "z2", "half1.y"]));
    expectRoundTrip(network);
  });

  test("works within shared layers, which have one formula", () => {
    const text = `model Pair {
  input  left: f32[N, 3, 6, 6]
  input  right: f32[N, 3, 6, 6]
  target same: u32[N] in 0..2
  share tower {
    conv(4, kernel=3) as x
    let y = x * sigmoid(x) + 1
    flatten -> linear(8)
  }
  from left  -> tower as a
  from right -> tower as b
  let apart = (a - b)^2
  linear(2) as logits
  loss cross_entropy(logits, same)
}
`;
    const [network] = networksOf(text);
    expectRoundTrip(network!);
    verify(build(network!));
  });

  test("a loop variable is a number", () => {
    const network = networkOf("for k in [2, 3] {\n    let y = k * a\n  }");
    expect(formulasOf(network)).toEqual(["2 * a", "3 * a"]);
  });

  test("a name of a value and of a constant is an error", () => {
    const [error] = errorsOf(specOf("let y = a * b", { declarations: "const a = 2" }));
    expect(error).toBe("NET1040 `a` is both a value and a constant here");
  });

  test.each(["1e39 * a", "a * log(-1)", "a / 0", "a * (1 / 0)"])("%s is refused", (formula) => {
    expect(errorsOf(specOf(`let y = ${formula}`))).not.toEqual([]);
  });
});

describe("fn", () => {
  const swish = "fn swish(x, beta: float = 1) = x * sigmoid(beta * x)";

  test("is a function in formulas and a layer in chains", () => {
    const network = networkOf("let y = swish(a, beta=2) - swish(b)\n  tanh -> swish(3)", {
      declarations: swish,
    });
    expect(formulasOf(network)).toEqual([
      "a * sigmoid(2 * a) - b * sigmoid(b)",
      "a * sigmoid(3 * a)",
    ]);
    expectRoundTrip(network);
  });

  test("takes the current value in a chain for its first value, and names for others", () => {
    const declarations = "fn mix(share: float, a, b) = share * a + (1 - share) * b";
    const network = networkOf("tanh -> mix(0.25, a)", { declarations });
    expect(formulasOf(network)).toEqual(["0.25 * a + 0.75 * b"]);
    const { inputs } = network.layers.find(({ name }) => name === "mix1")!;
    expect(inputs.map(({ index }) => network.layers[index]!.name)).toEqual(["tanh1", "a"]);
  });

  test("sees the constants and functions of its file, not the network", () => {
    const declarations = "const k = 3\nfn twice(x) = 2 * x\nfn six(x) = k * twice(x)";
    expect(formulasOf(networkOf("let y = six(a)", { declarations }))).toEqual(["6 * a"]);
    const wrong = specOf("let y = odd(a)", { declarations: "fn odd(x) = x + b" });
    expect(errorsOf(wrong)).toEqual(["NET1003 there is no parameter or constant `b` in `odd`"]);
  });

  test("is imported under another name", () => {
    const text = specOf("let y = s(a)", {
      declarations: 'import { swish as s } from "./activations.net"',
    });
    const readImport = () => ({ file: "activations.net", text: `${swish}\n` });
    const { diagnostics, models } = analyze(text, "m.net", { readImport });
    expect(diagnostics.map(({ code }) => code)).toEqual(["NET2022"]); // nothing reads c
    expect(formulasOf(models[0]!.network!)).toEqual(["a * sigmoid(a)"]);
  });

  test("that multiplies beyond a kernel is refused soon", () => {
    const functions = Array.from(
      { length: 40 },
      (_, index) => `fn f${index + 1}(x) = f${index}(x) * f${index}(x + 1)`,
    );
    const declarations = ["fn f0(x) = x", ...functions].join("\n");
    const errors = errorsOf(specOf("let y = f40(a)", { declarations }));
    expect(errors[0]).toMatch(
      /^NET1040 a formula uses `f1` and other functions more than 200 times/,
    );
  });
});

describe("mean", () => {
  test("is a loss and a metric that a spec says itself", () => {
    const declarations = "fn charbonnier(p, t, e: float = 0.001) = sqrt((p - t)^2 + e^2)";
    const text = specOf("relu", {
      declarations,
      loss:
        "mean(charbonnier(out, wanted)) + 0.5 * mse(out, wanted)\n" +
        "  metric off = mean(abs(out - wanted))",
    });
    const [network] = networksOf(text);
    expectRoundTrip(network!);
    expect(print(network!)).toContain(
      "metric off = mean(relu(out - wanted) + relu(-(out - wanted)))",
    );
    verify(build(network!));
  });

  test("of the squared difference is mse", () => {
    // Its slope is derived, and adds the two equal parts that mse doubles.
    const graph = (loss: string) =>
      printGraph(build(networkOf("relu", { loss }))).replace(/ slope=.*/, "");
    expect(graph("mean((out - wanted)^2)")).toBe(graph("mse(out, wanted)"));
  });

  test("compares an autoencoder with its input", () => {
    const text = `model Auto {
  input image: f32[N, 3, 6, 6]
  conv(3, kernel=3, padding=1) as out
  loss mean(abs(out - image))
}
`;
    expectRoundTrip(networksOf(text)[0]!);
  });

  test.each(["mean()", "mean(out, wanted)", "mean(out - 1)", "mean((out - wanted) % 2)"])(
    "%s is refused",
    (loss) => {
      expect(errorsOf(specOf("relu", { loss }))).toHaveLength(1);
    },
  );
});
