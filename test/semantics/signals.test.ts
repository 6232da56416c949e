import { expect, test } from "vitest";
import { print } from "../../compiler/network/print.js";
import { analyze } from "../../compiler/semantics/index.js";
import { layers } from "../../compiler/layers/index.js";
import { build } from "../../compiler/network/build.js";
import { fileShapeOf } from "../../compiler/ir/graph.js";
import { inferShape } from "../../compiler/layers/infer.js";
import { BATCH, isSignal, ROW, type Shape } from "../../compiler/ir/shape.js";
import { analyzed, codesOf, rendered } from "./spec.js";
import { casesOf } from "../counts.js";

const INPUT = { input: "input wave: signal[N, 4, 24]" };

const EVERY_LAYER = `
model Waves {
  input  wave: signal[N, 4, 24]
  target label: u32[N] in 0..3
  target clean: signal[N, 4, 24]

  conv(8, kernel=5, stride=2, padding=[1, 3], dilation=2) as c -> batchnorm -> relu
  maxpool(3, stride=2, padding=1) -> avgpool(2, stride=1) -> lp_pool(2, 2)
  conv_transpose(6, kernel=4, stride=2, padding=1, output_padding=1) -> pad([1, 2], mode=reflect)
  upsample(2, mode=linear) -> crop([1, 0]) -> adaptive_avgpool(8) -> slice(length, 1, step=2)
  mean(length) -> flatten -> linear(3) as logits
  from wave -> tokens -> linear(4) -> signal -> conv(4, kernel=3, padding=1) as back

  loss   cross_entropy(logits, label) + mse(back, clean)
}
`;

const networkOf = (text: string) => {
  const { selected, diagnostics } = analyze(text, "waves.net");
  expect(diagnostics.map(({ message }) => message)).toEqual([]);
  return selected!.model;
};

test("a printed network of signals resolves to the same one", () => {
  const { network } = networkOf(EVERY_LAYER);
  const text = print(network!);
  expect(text).toContain("input  wave: signal[N, 4, 24]");
  expect(text).toContain("target clean: signal[N, 4, 24]");
  expect(text).toContain("conv(8, kernel=5, stride=2, padding=[1, 3], dilation=2)");
  expect(text).toContain("mode=linear");
  expect(print(networkOf(text).network!)).toBe(text);
});

test("summaries have the length and no row", () => {
  const { layers: made } = networkOf(EVERY_LAYER);
  const outputs = new Map(made.map(({ name, output }) => [name, output]));
  expect(outputs.get("c")).toEqual([8, 10]);
  expect(outputs.get("mean1")).toEqual([6, 1]);
  expect(outputs.get("tokens1")).toEqual([24, 4]);
  expect(made.find(({ name }) => name === "c")!.call).toBe(
    "conv(8, kernel=5, stride=2, padding=[1, 3], dilation=2)",
  );
});

test("weights have the shapes of Conv1d in files, and count as many numbers", () => {
  const { network, layers: made } = networkOf(EVERY_LAYER);
  const shapes = new Map(
    build(network!).parameters.map((parameter) => [parameter.value.name, fileShapeOf(parameter)]),
  );
  expect(shapes.get("c.weight")).toEqual([8, 4, 5]);
  expect(shapes.get("conv_transpose1.weight")).toEqual([8, 6, 4]);
  expect(made.find(({ name }) => name === "c")!.parameters).toBe(8 * 4 * 5 + 8);
});

test.for(
  layers.flatMap(({ name, arguments: declared }) =>
    Object.entries(declared).flatMap(([argument, { type, defaultValue }]) =>
      type.onSignal && defaultValue !== undefined ? [{ name, argument, type, defaultValue }] : [],
    ),
  ),
)(
  "the default of $argument of $name leaves the row of a signal alone",
  ({ type, defaultValue }) => {
    // What a spec writes is read as the default, and the row is as in a spec that writes it.
    const written = type.onSignal!.write(defaultValue);
    expect(written).toBe(type.write(defaultValue));
    const side = (value: unknown) =>
      Array.isArray(value) ? (value as number[])[0] : (value as { top?: number }).top;
    expect([0, 1, undefined]).toContain(side(defaultValue));
  },
);

/** Of layers whose required arguments are not a size of 2. */
const CALLS: Readonly<Record<string, string>> = {
  clip: "clip(0)",
  crop: "crop(1)",
  reshape: "reshape([-1])",
  stochastic_depth: "stochastic_depth(0.2)",
  upsample: "upsample(2)",
};

/** Layers that take an image alone, each applied to a signal. */
const calls = layers.flatMap(({ name, samples, others, positional, arguments: declared }) => {
  const takesImages = samples.some(
    ({ input, vocabulary }) => input.length === 3 && vocabulary === undefined,
  );
  if (!takesImages || others) return [];
  const given = positional.filter((each) => declared[each]!.isRequired);
  const values = given.map((each) =>
    declared[each]!.type.accepts.kind === "word" ? "length" : "2",
  );
  return [
    { name, call: CALLS[name] ?? (values.length > 0 ? `${name}(${values.join(", ")})` : name) },
  ];
});

const REFUSED = [
  "attention",
  "patches",
  "pixel_shuffle",
  "pixel_unshuffle",
  "transpose",
  "permute",
];

test.for(calls)("$call: a signal gives a signal, or is refused", ({ name, call }) => {
  const { selected, diagnostics } = analyzed(`${call} as made`, {
    input: "input wave: signal[N, 16, 24]",
  });
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (REFUSED.includes(name)) return expect(errors).not.toEqual([]);
  expect(errors.map(({ message }) => message)).toEqual([]);
  const made = selected!.model.network!.layers.find((layer) => layer.name === "made")!;
  expect(isSignal(made.type.shape)).toBe(!["flatten", "tokens", "reshape"].includes(name));
});

test("random convolutions and pools have the shapes of an image of one row", () => {
  for (let seed = 0; seed < casesOf(300); seed++) {
    const draw = (salt: number, low: number, high: number) =>
      low + (((seed * 7919 + salt * 104729) >>> 0) % (high - low + 1));
    const [kernel, stride, dilation, padding] = [
      draw(1, 1, 6),
      draw(2, 1, 3),
      draw(3, 1, 3),
      draw(4, 0, 3),
    ];
    const length = draw(5, 18, 40);
    const kind = ["conv", "conv_transpose", "maxpool"][seed % 3]!;
    const first = kind === "maxpool" ? "" : "5, ";
    const pad = kind === "maxpool" ? Math.min(padding, Math.floor(kernel / 2)) : padding;
    const numbers = { kernel, stride, dilation, padding: pad };
    const write = (list: (name: string, value: number) => string) =>
      `${kind}(${first}${Object.entries(numbers)
        .map(([name, value]) => `${name}=${list(name, value)}`)
        .join(", ")}) as made`;
    const neutral = (name: string) => (name === "padding" ? 0 : 1);
    const shapeOf = (layer: string, input: string) =>
      analyzed(layer, { input }).selected?.model.layers.find(({ name }) => name === "made")?.output;
    const made = shapeOf(
      write((_, value) => `${value}`),
      `input wave: signal[N, 4, ${length}]`,
    );
    const image = shapeOf(
      write((name, value) => `[${neutral(name)}, ${value}]`),
      `input wave: f32[N, 4, 1, ${length}]`,
    );
    expect(made).toBeDefined();
    expect(made).toEqual([image![0], image![2]]);
  }
});

test("the shape rule alone knows signals, too", () => {
  const definition = layers.find(({ name }) => name === "conv")!;
  const { selected } = analyzed("conv(5, kernel=3)", INPUT);
  const { values } = selected!.model.network!.layers[0]!;
  expect(values["kernel"]).toEqual([1, 3]);
  const shape: Shape = [BATCH, 4, ROW, 24];
  expect(inferShape({ definition, values, others: [] }, shape)).toEqual([BATCH, 5, ROW, 22]);
});

test.for([
  ["conv(8, kernel=[3, 5])", "NET1009"],
  ["conv(8, kernel=3, padding=[1, 1, 1, 1])", "NET1009"],
  ["maxpool([1, 2])", "NET1009"],
  ["upsample(2, mode=bicubic)", "NET1011"],
  ["slice(rows, 0, 1)", "NET2035"],
  ["mean(columns)", "NET2035"],
  ["pixel_shuffle(2)", "NET2001"],
  ["patches(1)", "NET2001"],
  ["transpose", "NET2028"],
  ["permute([0, 1, 2])", "NET2028"],
  ["token(0)", "NET2025"],
  ["linear(3)", "NET2003"],
  ["signal(2)", "NET1010"],
  ["conv(8, kernel=25)", "NET2004"],
  ["reshape([4, 1, 24]) -> add(wave)", "NET2031"],
] as const)("%s of a signal is %s", ([layer, code]) => {
  expect(
    codesOf(analyzed(`identity as wave2 -> ${layer.replace("wave", "wave2")}`, INPUT)),
  ).toEqual([code]);
});

test.for([
  ["input wave: signal[N, 4]", "NET2013"],
  ["input wave: signal[N, 4, 5, 6]", "NET2013"],
  ["input wave: signal[4, 5, 6]", "NET2013"],
  ["input wave: signal[N, 4, 0]", "NET2013"],
  ["input wave: signal[N, 4, 5] in 0..3", "NET2013"],
] as const)("%s is %s", ([input, code]) => {
  expect(codesOf(analyzed("flatten -> linear(3)", { input }))).toContain(code);
});

test("a convolution of a sequence proposes a signal, and both fixes are right", () => {
  const text = `
model Waves {
  input wave: f32[N, 4, 24]

  conv(8, kernel=3)
}
`;
  const [diagnostic] = analyze(text, "waves.net").diagnostics;
  expect(diagnostic!.code).toBe("NET2001");
  expect(diagnostic!.fixes.map(({ title }) => title)).toEqual([
    "declare the input as a signal",
    "insert `signal` before it",
  ]);
  expect(rendered(text)).toContain("the sequence [N, 4, 24]");
});

test("no fix declares an input as a signal that other layers have read as a sequence", () => {
  const text = `
model Waves {
  input wave: f32[N, 4, 24]

  linear(6) -> conv(8, kernel=3)
}
`;
  const [diagnostic] = analyze(text, "waves.net").diagnostics;
  expect(diagnostic!.fixes.map(({ title }) => title)).toEqual(["insert `signal` before it"]);
});

test("an axis by its number is named where it does not fit", () => {
  const text = `
model Waves {
  input wave: signal[N, 4, 24]

  conv(3, kernel=1) as a
  from wave -> conv(4, kernel=3) -> concat(a, axis=2)
}
`;
  expect(rendered(text)).toContain("axis 2 of [N, 4, 22] is the length");
  expect(rendered(text.replace("axis=2", "axis=length"))).not.toContain("is the length");
});
