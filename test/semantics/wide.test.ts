/** Values of more axes than an image: which layers take them, and what is said of the others. */
import { describe, expect, test } from "vitest";
import { applyEdits } from "../../compiler/semantics/check-fixes.js";
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
  `${WIDE} -> pad(1) -> ${OUT}`,
  `${WIDE} -> crop(1) -> ${OUT}`,
  `${WIDE} -> channel_shuffle(2) -> ${OUT}`,
  `${WIDE} as x\n  loss cross_entropy(x, label)`,
  `${WIDE} as x -> linear(6) as y\n  loss kl(x, y)`,
  `${WIDE} as x -> ${OUT}\n  metric m = accuracy(x, label)`,
];

describe("what takes at most four axes", () => {
  test.each(REFUSED)("%s", (body) => {
    expect(new Set(codesOf(body))).toEqual(new Set(["NET2054"]));
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
  ...["slice(2, 1, 3)", "slice(-1, -2)", "slice(5, 1, step=2)", "pad([1, 0], axis=3)"],
  ...["relu as x -> concat(x, axis=-1)", "relu as x -> slice(2, 1) -> concat(x, x, axis=2)"],
  "concat(axis=3) { branch { relu } branch { slice(3, 1) } }",
  "split(axis=2) { branch { relu } branch { linear(6) } }",
  "split(axis=-1, sizes=[1, 5]) { branch { relu } branch { sigmoid } }",
  ...["relu as x -> matmul(x, transposed=true)", "relu as x -> transpose(-1, -2) -> matmul(x)"],
  ...["relu as x -> mean([1, 3]) as m\n  from x -> matmul(m, transposed=true)"],
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
  [`${WIDE} -> slice(channels, 0, 1)`, "NET2035", "[N, 2, 4, 2, 3, 6] has no channels"],
  [`${WIDE} -> slice(6, 0, 1)`, "NET2035", "[N, 2, 4, 2, 3, 6] has no axis 6"],
  [`${WIDE} -> slice(0, 0, 1)`, "NET2035", "axis 0 is the batch"],
  [
    `${WIDE} -> slice(2, 1, 5)`,
    "NET2035",
    "elements 1 to 5 of axis 2 of [N, 2, 4, 2, 3, 6], which",
  ],
  [`${WIDE} -> slice(-1, 6)`, "NET2035", "which has elements 0 to 5"],
  [`${WIDE} as x -> concat(x)`, "NET2035", "[N, 2, 4, 2, 3, 6] has no channels"],
  [
    `${WIDE} as x -> slice(2, 1) -> concat(x, axis=1)`,
    "NET2031",
    "[N, 2, 3, 2, 3, 6] and [N, 2, 4, 2, 3, 6], which differ in more than axis 1",
  ],
  [`${WIDE} as x -> flatten -> concat(x)`, "NET2031", "joins [N, 288] and [N, 2, 4, 2, 3, 6]"],
  [
    `${WIDE}\n  concat(axis=1) { branch { relu } branch { linear(3) } }`,
    "NET2019",
    "`concat` joins axis 1, everything else must agree",
  ],
  [
    `${WIDE}\n  concat { branch { relu } branch { relu } }`,
    "NET2035",
    "`concat`: [N, 2, 4, 2, 3, 6]",
  ],
  [
    `${WIDE}\n  split { branch { relu } branch { relu } }`,
    "NET2035",
    "`split`: [N, 2, 4, 2, 3, 6]",
  ],
  [
    `${WIDE}\n  split(axis=4) { branch { relu } branch { relu } }`,
    "NET2036",
    "cannot divide 3 elements of axis 4 evenly over 2 branches",
  ],
  [
    `${WIDE}\n  split([1, 1], axis=4) { branch { relu } branch { relu } }`,
    "NET2036",
    "add up to 2 elements of axis 4, but it receives 3",
  ],
  [`${WIDE} as x -> matmul(x)`, "NET2031", "multiply [N, 2, 4, 2, 3, 6] with [N, 2, 4, 2, 3, 6]"],
  [
    `${WIDE} as x -> slice(2, 1) -> matmul(x, transposed=true)`,
    "NET2031",
    "multiply [N, 2, 3, 2, 3, 6] with [N, 2, 4, 2, 3, 6]",
  ],
  [`${WIDE} as x -> flatten -> matmul(x)`, "NET2025", "needs a sequence [N, T, C] but receives"],
  [`${WIDE} -> pad(1)`, "NET2054", "pad `pad1` without `axis` takes values of at most 4 axes"],
  [
    `${WIDE} -> pad([3, 0], axis=4, mode=reflect)`,
    "NET2037",
    "adds 3 elements of axis 4 at a side, but 3 elements of axis 4 allow at most 2",
  ],
  [`${WIDE}\n  residual { linear(3) }`, "NET2017", "the body gives axis 5 = 3 and the skip 6"],
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

describe("inputs, targets and outputs", () => {
  const errorsOf = (ports: string, body: string) =>
    analyze(`model M {\n  ${ports}\n  ${body}\n}`, "m.net").diagnostics.map(
      ({ code, message }) => `${code} ${message}`,
    );

  test.each([
    ["input x: f32[N, 2, 2, 2, 3]", "linear(4)"],
    ["input x: f32[N, 2, 2, 2, 3]\n  target y: f32[N, 2, 2, 2, 3]", "gelu as z\n  loss mse(z, y)"],
    [
      "input x: f32[N, 24]\n  target y: f32[N, 2, 2, 2, 3]",
      "reshape([2, 2, 2, 3]) as z\n  loss mean((z - y)^2)",
    ],
    ["input x: f32[N, 2, 2, 2, 3]", "linear(4) -> gelu as z\n  loss mean((z - stop(z))^2)"],
    ["input x: f32[N, 1, 2, 1, 2, 1, 2, 1, 3]", "mean([1, -1])"],
    ["input x: f32[N, 2, 2, 2, 3] of normal", "linear(4)"],
  ])("%s: %s", (ports, body) => {
    expect(errorsOf(ports, body)).toEqual([]);
  });

  test.each([
    ["input x: f32[N, 1, 2, 1, 2, 1, 2, 1, 3, 1]", "flatten", "NET2013 an input's shape must be"],
    ["input x: f32[N, 2, 2, 2, 3]", "conv(4, kernel=1)", "NET2054 conv `conv1` takes values of"],
    [
      "input x: f32[N, 2, 2, 2, 3]\n  target y: f32[N, 2, 2, 3]",
      "gelu as z\n  loss mse(z, y)",
      "NET2047 `mse` needs one shape, but `z` is [N, 2, 2, 2, 3] and `y` is [N, 2, 2, 3]",
    ],
    [
      "input x: f32[N, 2, 2, 2, 3]\n  target y: f32[N, 2, 2, 2, 3]",
      "gelu as z\n  loss bce_with_logits(z, y, pos_weight=[1, 2, 3])",
      "NET2060 `bce_with_logits` has weights for 3 classes, but `z` is [N, 2, 2, 2, 3]",
    ],
  ])("%s: %s is refused", (ports, body, message) => {
    expect(errorsOf(ports, body).join("\n")).toContain(message);
  });
});

describe("mistakes of many axes", () => {
  test.each(WRONG)("%s: %s", (body, code, message) => {
    const { diagnostics } = analyze(modelOf(`${body} -> ${OUT}`), "m.net");
    expect(diagnostics.map((each) => each.code)).toContain(code);
    expect(diagnostics.map((each) => each.message).join("\n")).toContain(message);
  });
});

/** With parameters of fewer axes than a value of these sizes. */
const OF_FEWER_AXES: readonly (readonly [sizes: string, body: string, help: string])[] = [
  [
    "8, 3, 4, 6",
    "parameter p: f32[6]\n  from x -> add(p)",
    "declare the parameter as `f32[1, 1, 1, 6]`",
  ],
  [
    "8, 3, 4, 6",
    "parameter p: f32[2 * 2, 6] init normal(1)\n  from x -> multiply(p)",
    "declare the parameter as `f32[1, 1, 4, 6]`",
  ],
  [
    "8, 3, 4, 6",
    "parameter p: f32[6]\n  parameter q: f32[4, 6]\n  let y = p * x + q\n  from y -> relu",
    "declare the parameters as `f32[1, 1, 1, 6]` and `f32[1, 1, 4, 6]`",
  ],
  [
    "8, 3, 4, 6",
    "parameter p: f32[6, 5]\n  from x -> matmul(p)",
    "declare the parameter as `f32[1, 1, 6, 5]`",
  ],
  ["3, 4, 6", "parameter p: f32[6]\n  from x -> add(p)", "declare the parameter as `f32[1, 1, 6]`"],
  ["4, 6", "parameter p: f32[6]\n  let y = p * x\n  from y", "the parameter as `f32[1, 6]`"],
];

describe("parameters of fewer axes than a value", () => {
  const specOf = (sizes: string, body: string) =>
    `model M {\n  input x: f32[N, ${sizes}]\n  ${body}\n}`;

  test.each(OF_FEWER_AXES)("[N, %s], %s: a fix that compiles", (sizes, body, help) => {
    const text = specOf(sizes, body);
    const [error, ...others] = analyze(text, "m.net").diagnostics;
    expect([error?.code, others]).toEqual(["NET2031", []]);
    const fix = error!.fixes.find(({ title }) => title.includes(help));
    expect(error!.fixes.map(({ title }) => title).join("\n")).toContain(help);
    expect(analyze(applyEdits(text, fix!.edits), "m.net").diagnostics).toEqual([]);
  });

  test.each([
    ["8, 3, 4, 6", "parameter p: f32[5]\n  from x -> add(p)"],
    ["8, 3, 4, 6", "parameter p: f32[6]\n  from p -> relu as q\n  from x -> add(q)"],
    ["8, 4, 6", "parameter p: f32[8]\n  from x -> multiply(p)"],
  ])("[N, %s], %s: no fix that would not compile", (sizes, body) => {
    const [error] = analyze(specOf(sizes, body), "m.net").diagnostics;
    expect(error!.code).toBe("NET2031");
    expect(error!.fixes ?? []).toEqual([]);
  });

  test("the note says what gives a value of fewer axes those of PyTorch", () => {
    const body = "parameter p: f32[6]\n  from p -> relu as q\n  from x -> add(q)";
    const [error] = analyze(specOf("8, 3, 4, 6", body), "m.net").diagnostics;
    expect(error!.notes.join()).toContain("`reshape([1, 1, 1, 6])` gives one axes of 1");
  });
});
