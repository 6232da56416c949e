/** Values of more axes than an image: which layers take them, and what is said of the others. */
import { describe, expect, test } from "vitest";
import { analyze } from "../../compiler/semantics/index.js";

const WIDE = "reshape([2, 4, 2, 3, 6])";

const modelOf = (body: string) =>
  `model M {\n  input image: f32[N, 8, 6, 6]\n  target label: u32[N] in 0..10\n  ${body}\n}`;

const codesOf = (body: string) => {
  const { diagnostics } = analyze(modelOf(body), "m.net");
  return diagnostics.filter(({ severity }) => severity === "error").map(({ code }) => code);
};

const OUT = "flatten -> linear(10) as logits\n  loss cross_entropy(logits, label)";

test("shapes are known on the way", () => {
  const body = `${WIDE} -> gelu -> transpose(2, -1) -> permute([0, 5, 1, 2, 4, 3]) -> identity`;
  const { models, diagnostics } = analyze(modelOf(`${body} -> ${OUT}`), "m.net");
  expect(diagnostics).toEqual([]);
  const outputs = models[0]!.layers.map(({ output }) => output);
  expect(outputs.slice(0, -1)).toEqual([
    [2, 4, 2, 3, 6],
    [2, 4, 2, 3, 6],
    [2, 6, 2, 3, 4],
    [4, 2, 6, 3, 2],
    [4, 2, 6, 3, 2],
    [288],
  ]);
});

/** Everything that reads a value and does not take one of many axes. */
const REFUSED: readonly string[] = [
  `${WIDE} -> conv(8, kernel=3) -> ${OUT}`,
  `${WIDE} -> batchnorm -> ${OUT}`,
  `${WIDE} -> prelu -> ${OUT}`,
  `${WIDE} -> slice(1, 0, 1) -> ${OUT}`,
  `${WIDE} as x -> concat(x) -> ${OUT}`,
  `${WIDE}\n  residual { linear(3) } -> ${OUT}`,
  `${WIDE}\n  concat { branch { relu } branch { identity } } -> ${OUT}`,
  `${WIDE}\n  split { branch { relu } branch { identity } } -> ${OUT}`,
  `${WIDE} as x\n  loss cross_entropy(x, label)`,
  `${WIDE} as x -> linear(6) as y\n  loss kl(x, y)`,
  `${WIDE} as x -> ${OUT}\n  metric m = accuracy(x, label)`,
  `${WIDE} as x -> ${OUT}\n  output x, logits`,
];

describe("what takes at most four axes", () => {
  test.each(REFUSED)("%s", (body) => {
    expect(new Set(codesOf(body))).toEqual(new Set(["NET2054"]));
  });

  test("a model that predicts such a value", () => {
    const { diagnostics } = analyze(
      `model M {\n  input x: f32[N, 16]\n  reshape([2, 2, 2, 2])\n}`,
      "m.net",
    );
    expect(diagnostics.map(({ code }) => code)).toEqual(["NET2054"]);
  });
});

const TAKEN: readonly string[] = [
  ...["linear(8)", "linear(8, in=6)", "layernorm", "softmax", "log_softmax", "softmin", "glu"],
  ...["dropout(0.5)", "dropout(0.5, channels=true)", "stochastic_depth(0.2)"],
  ...["relu as x -> add(x)", "relu as x -> multiply(x)", "residual { linear(6) -> relu }"],
  ...["relu as x\n  let y = x * sigmoid(x) + 2\n  from y -> linear(3)"],
  ...["mean(2)", "sum(-1)", "max([1, 2, -1])", "min([5, 3])", "logsumexp([1, 2, 3, 4, 5])"],
  ...["relu as x -> linear(1) -> add(x)", "relu as x -> mean([2, 3]) -> multiply(x)"],
  ...["relu as x\n  let y = x / sqrt(mean(x^2, over=[2, 4]) + 1e-6)\n  from y -> linear(3)"],
  ...["relu as x -> sum(1) as a\n  from x -> max(-1) as b\n  let y = a * b\n  from y -> relu"],
];

test.each(TAKEN)("%s takes more axes", (body) => {
  expect(codesOf(`${WIDE} -> ${body} -> ${OUT}`)).toEqual([]);
});

test("layers of the last axis change that axis alone, and count as those of tokens", () => {
  const layersOf = (reshape: string) => {
    const { models, diagnostics } = analyze(
      modelOf(`${reshape} -> linear(10) -> layernorm -> ${OUT}`),
      "m.net",
    );
    expect(diagnostics).toEqual([]);
    return models[0]!.layers.slice(1, 3);
  };
  const [wide, tokens] = [layersOf(WIDE), layersOf("reshape([48, 6])")];
  expect(wide.map(({ output }) => output)).toEqual([
    [2, 4, 2, 3, 10],
    [2, 4, 2, 3, 10],
  ]);
  for (const [index, { parameters, macs }] of wide.entries()) {
    expect({ parameters, macs }).toEqual({
      parameters: tokens[index]!.parameters,
      macs: tokens[index]!.macs,
    });
  }
});

const WRONG: readonly (readonly [body: string, code: string, message: string])[] = [
  ["reshape([2, 4, 2, 3, 7])", "NET2033", "cannot make [N, 2, 4, 2, 3, 7] (336 elements)"],
  ["reshape([2, -1, 2, -1, 6])", "NET2033", "cannot make [N, 2, -1, 2, -1, 6]"],
  ["reshape([2, 1, 4, 2, 3, 6, 1, 1, 1])", "NET2033", "cannot make [N, 2, 1, 4"],
  [`${WIDE} -> linear(8, in=5)`, "NET2002", "declares in=5 but receives 6 features"],
  [`${WIDE} -> linear(5) -> glu`, "NET2036", "cuts the channels of [N, 48, 5]"],
  [`${WIDE} -> permute([0, 1, 1, 2, 3, 4])`, "NET2028", "[0, 1, 1, 2, 3, 4] does not order [N, 2,"],
  [`${WIDE} -> permute([0, 1, 2, 3])`, "NET2028", "[0, 1, 2, 3] does not order [N, 2, 4, 2, 3, 6]"],
  [`${WIDE} -> permute([1, 0, 2, 3, 4, 5])`, "NET2028", "[1, 0, 2, 3, 4, 5] does not order"],
  [
    `${WIDE} -> permute([rows, columns, channels])`,
    "NET2028",
    "[rows, columns, channels] does not",
  ],
  [`${WIDE} -> transpose(channels, 3)`, "NET2028", "[N, 2, 4, 2, 3, 6] has no channels"],
  [`${WIDE} -> transpose(1, 6)`, "NET2028", "[N, 2, 4, 2, 3, 6] has no axis 6"],
  [`${WIDE} -> transpose(1, -6)`, "NET2028", "axis -6 is the batch"],
  [`${WIDE} -> mean(6)`, "NET2035", "[N, 2, 4, 2, 3, 6] has no axis 6"],
  [`${WIDE} -> mean(0)`, "NET2035", "axis 0 is the batch"],
  [`${WIDE} -> mean([2, -4])`, "NET2035", "is over axis 2 of [N, 2, 4, 2, 3, 6] twice"],
  [`${WIDE} as x -> linear(3) -> add(x)`, "NET2031", "[N, 2, 4, 2, 3, 3] and [N, 2, 4, 2, 3, 6]"],
  [`${WIDE} as x -> flatten -> add(x)`, "NET2031", "joins [N, 288] and [N, 2, 4, 2, 3, 6]"],
  [
    `${WIDE} as x -> linear(3) as z\n  let y = x * z\n  from y`,
    "NET2031",
    "computes with [N, 2, 4, 2, 3, 6] and [N, 2, 4, 2, 3, 3]",
  ],
  [`${WIDE} as x\n  let y = mean(x, over=channels)\n  from y`, "NET2035", "has no channels"],
  [`${WIDE} as x\n  loss mse(x, image)\n  from x`, "NET2047", "`x` is [N, 2, 4, 2, 3, 6] and"],
  [`${WIDE} as x\n  loss mean((x - one_hot(label))^2)\n  from x`, "NET2031", "[N, 10]"],
  [`${WIDE} -> transpose(1, -5)`, "NET2028", "exchanges axis 1 with -5, which is the same one"],
];

test.each(["mean(x)", "mean(x^2)", "mean(sum(x, over=-1))"])("a loss %s of more axes", (loss) => {
  const body = `${WIDE} -> linear(6) as x\n  ${OUT} + 0.1 * ${loss}`;
  expect(codesOf(body)).toEqual([]);
});

test("what a model predicts has at most four axes", () => {
  const [diagnostic] = analyze(modelOf(WIDE), "m.net").diagnostics;
  expect(diagnostic?.message).toBe(
    "what a model predicts has at most 4 axes, not [N, 2, 4, 2, 3, 6]",
  );
});

describe("mistakes of many axes", () => {
  test.each(WRONG)("%s: %s", (body, code, message) => {
    const { diagnostics } = analyze(modelOf(`${body} -> ${OUT}`), "m.net");
    expect(diagnostics.map((each) => each.code)).toContain(code);
    expect(diagnostics.map((each) => each.message).join("\n")).toContain(message);
  });
});
