import { describe, expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import {
  binaryFunctions,
  evaluate,
  unaryFunctions,
} from "../../compiler/ir/expression-evaluate.js";
import { COMPARISONS } from "../../compiler/ir/expression-choice.js";
import { simplify } from "../../compiler/ir/expression-simplify.js";
import type { BinaryOperator, Expression, UnaryOperator } from "../../compiler/ir/expression.js";
import { binary, constant, operand, unary } from "../../compiler/ir/expression.js";
import { print } from "../../compiler/kernels/expression.js";
import { code, component, joined, type Code } from "../../compiler/kernels/code.js";
import { RANK_OF, RANKED } from "../../compiler/kernels/not-a-number.js";
import { Printer } from "../../compiler/kernels/printer.js";
import { layers, type LayerSample } from "../../compiler/layers/index.js";
import { wgslOf } from "../../program/program.js";
import { createNetwork, findAdapter, type Network } from "../../runtime/index.js";
import { sampled } from "../adapters.js";

/** NaN of both signs, and one that signals; infinities; numbers; zeros. */
const BITS = [
  ...[0x7fc00000, 0xffc00000, 0x7f800001, 0x7f800000],
  ...[0xff800000, 0x3fc00000, 0xc0200000, 0x80000000],
];
const VALUES = new Float32Array(Uint32Array.from(BITS).buffer);

/** Runs `y[i] = EXPRESSION` over the values as vec4f, with `x` the values and `z` 0.5. */
async function runOnDevice(expression: Code) {
  const printer = new Printer();
  const value = expression.print(printer);
  const { adapter } = await findAdapter(process.env["NETC_ADAPTER"]);
  const device = await adapter.requestDevice();
  try {
    const shader = `
      @group(0) @binding(0) var<storage, read> a: array<vec4f>;
      @group(0) @binding(1) var<storage, read_write> result: array<vec4f>;
      ${wgslOf([...printer.declarations("constant"), ...printer.declarations("functions")])}
      @compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) {
        let x = a[id.x];
        let z = a[2];
        result[id.x] = ${value};
      }`;
    const module = device.createShaderModule({ code: shader });
    const compute = { module, entryPoint: "main" };
    const pipeline = device.createComputePipeline({ layout: "auto", compute });
    const buffer = (size: number, usage: number) => device.createBuffer({ size, usage });
    const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsageBits;
    const [a, y] = [buffer(48, STORAGE | COPY_DST), buffer(48, STORAGE | COPY_SRC)];
    const staging = buffer(32, MAP_READ | COPY_DST);
    device.queue.writeBuffer(a, 0, VALUES);
    device.queue.writeBuffer(a, 32, new Float32Array(4).fill(0.5));
    const entries = [a, y].map((each, binding) => ({ binding, resource: { buffer: each } }));
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(
      0,
      device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }),
    );
    pass.dispatchWorkgroups(2);
    pass.end();
    encoder.copyBufferToBuffer(y, 0, staging, 0, 32);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(1);
    return [...new Float32Array(staging.getMappedRange().slice(0))];
  } finally {
    device.destroy();
  }
}

const GPUBufferUsageBits = { STORAGE: 128, COPY_SRC: 4, COPY_DST: 8, MAP_READ: 1 } as const;

/** These give 1 or 0 of all numbers. */
const CONDITIONS = ["positive", "isnan"];

const UNARY = Object.keys(unaryFunctions).filter(
  (name) => !CONDITIONS.includes(name),
) as UnaryOperator[];
const BINARY = Object.keys(binaryFunctions) as BinaryOperator[];

const expressions: readonly (readonly [string, Expression])[] = [
  ...UNARY.map((name) => [name, unary(name, operand(0))] as const),
  ...BINARY.map((name) => [name, binary(name, operand(0), operand(1))] as const),
  ...BINARY.map((name) => [`${name}, turned`, binary(name, operand(1), operand(0))] as const),
];

test.each(expressions)(
  "%s of NaN is NaN, of other numbers what it was",
  async (name, expression) => {
    const operands = [code`x`, code`z`];
    const leaves = { channel: () => code`x`, counter: () => code`0u` };
    const vector = {
      ...leaves,
      operand: (index: number) => operands[index]!,
      type: "vec4f",
    } as const;
    const scalar = (at: number) =>
      print(expression, {
        ...leaves,
        operand: (index) => component(operands[index]!, at),
        type: "f32",
      });
    const found = await runOnDevice(print(expression, vector));
    expect(found.slice(0, 3)).toEqual([NaN, NaN, NaN]);
    // Roots and logarithms of negative numbers: special-values.test.ts.
    if (!/log|sqrt|power|divide/.test(name)) expect(found.slice(3).some(Number.isNaN)).toBe(false);
    const scalars = await runOnDevice(code`vec4f(${joined([0, 1, 2, 3].map(scalar), ", ")})`);
    expect(scalars.slice(0, 3)).toEqual([NaN, NaN, NaN]);
  },
);

/** In this order: three NaN, infinity, -infinity, 1.5, -2.5 and -0. */
const COMPARED: readonly (readonly [string, readonly number[]])[] = [
  [">", [0, 0, 0, 1, 0, 1, 0, 0]],
  ["<", [0, 0, 0, 0, 1, 0, 1, 1]],
  [">=", [0, 0, 0, 1, 0, 1, 0, 0]],
  ["<=", [0, 0, 0, 0, 1, 0, 1, 1]],
  ["==", [0, 0, 0, 0, 0, 0, 0, 0]],
  ["!=", [1, 1, 1, 1, 1, 1, 1, 1]],
];
const AGAINST_ITSELF: readonly (readonly [string, readonly number[]])[] = [
  [">", [0, 0, 0, 0, 0, 0, 0, 0]],
  ["<", [0, 0, 0, 0, 0, 0, 0, 0]],
  [">=", [0, 0, 0, 1, 1, 1, 1, 1]],
  ["<=", [0, 0, 0, 1, 1, 1, 1, 1]],
  ["==", [0, 0, 0, 1, 1, 1, 1, 1]],
  ["!=", [1, 1, 1, 0, 0, 0, 0, 0]],
];

test.each([
  ...COMPARED.map(([sign, expected]) => [sign, "0.5", constant(0.5), expected] as const),
  ...COMPARED.map(([sign, expected]) => [sign, "a value", operand(1), expected] as const),
  ...AGAINST_ITSELF.map(([sign, expected]) => [sign, "itself", operand(0), expected] as const),
])("NaN, infinities and numbers %s %s are as in PyTorch", async (sign, _, right, expected) => {
  const expression = simplify(COMPARISONS[sign]!(operand(0), right));
  const operands = [code`x`, code`z`];
  const leaves = { channel: () => code`x`, counter: () => code`0u` };
  const vector = print(expression, {
    ...leaves,
    operand: (index) => operands[index]!,
    type: "vec4f",
  });
  expect(await runOnDevice(vector)).toEqual(expected);
  const scalar = (at: number) =>
    print(expression, {
      ...leaves,
      operand: (index) => component(operands[index]!, at),
      type: "f32",
    });
  const scalars = code`vec4f(${joined([0, 1, 2, 3].map(scalar), ", ")})`;
  expect(await runOnDevice(scalars)).toEqual(expected);
  const reference = [...VALUES].map((value) =>
    evaluate(expression, {
      operand: (index) => [value, 0.5][index]!,
      channel: () => 0,
      keep: () => 1,
      noise: () => 1,
      batchShare: 1,
    }),
  );
  expect(reference).toEqual(expected);
});

test("ranks keep the order of numbers, NaN above all, and lead back", async () => {
  const ranks = await runOnDevice(code`vec4f(${RANK_OF}(x))`);
  const [quiet, signed, signalling, infinite, lowest, some, negative, zero] = ranks;
  for (const nan of [quiet!, signed!]) expect(nan).toBeGreaterThan(infinite!);
  expect(signalling).toBeGreaterThanOrEqual(infinite!);
  expect([infinite! > some!, some! > zero!, zero! > negative!, negative! > lowest!]).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(await runOnDevice(code`${RANKED}(${RANK_OF}(x))`)).toEqual([
    NaN,
    NaN,
    NaN,
    Infinity,
    -Infinity,
    1.5,
    -2.5,
    0,
  ]);
});

const opened = async (spec: string, options: { readonly batch: number }): Promise<Network> => {
  const { programs, diagnostics } = compile(spec, { file: "nan.net" });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return createNetwork(programs, options);
};

/**
 * Its weights make NaN of an image of 1e30: infinity less infinity. Other images stay what they
 * are.
 */
function spoiling(channels: number): Float32Array {
  const weights = new Float32Array(channels * channels);
  for (let output = 0; output < channels; output++) {
    weights[output * channels] = 1e30;
    weights[output * channels + 1] = -1e30;
  }
  return weights;
}

/** Two images: one that becomes NaN, one that becomes ones. */
function images([channels, ...size]: readonly number[]): Float32Array {
  const pixels = size.reduce((product, extent) => product * extent, 1);
  const values = new Float32Array(2 * channels! * pixels);
  values.fill(1e30, 0, 2 * pixels);
  values.fill(1e-30, channels! * pixels, (channels! + 1) * pixels);
  return values;
}

/** Two sequences of the same kind; of the first, the tokens from `first` to `last` become NaN. */
function sequences([tokens, channels]: readonly number[], spoilt: (token: number) => boolean) {
  const values = new Float32Array(2 * tokens! * channels!);
  for (let token = 0; token < tokens!; token++) {
    values.fill(spoilt(token) ? 1e30 : 0, token * channels!, token * channels! + 2);
    values[(tokens! + token) * channels!] = 1e-30;
  }
  return values;
}

const isSequence = (shape: readonly number[]) => shape.length === 2;

/** The first layer makes NaN. */
const firstLayer = (input: readonly number[]) =>
  isSequence(input)
    ? `linear(${input[1]}, bias=false) as first`
    : `conv(${input[0]}, kernel=1, bias=false) as first`;

const channelsOf = (input: readonly number[]) => (isSequence(input) ? input[1]! : input[0]!);

describe("every layer lets NaN through", () => {
  const small = ({ input, others = [] }: LayerSample) =>
    others.length === 0 && input.length > 1 && input.reduce((a, b) => a * b) < 3000;
  const samples = layers.flatMap(({ samples }) =>
    [2, 3].flatMap((rank) =>
      samples.filter((sample) => small(sample) && sample.input.length === rank).slice(0, 1),
    ),
  );

  test.each(sampled(samples, 4))("$spec of $input", async ({ spec, input, output }) => {
    const network = await opened(
      `model M {
        input x: f32[N, ${input.join(", ")}]
        ${firstLayer(input)} -> ${spec}
      }`,
      { batch: 2 },
    );
    try {
      await network.write("first.weight", spoiling(channelsOf(input)));
      const values = isSequence(input) ? sequences(input, () => true) : images(input);
      const result = await network.predict(values);
      const half = output.reduce((a, b) => a * b);
      expect(result.length).toBe(2 * half);
      const isPadding = /^pad|max_unpool/.test(spec);
      const [spoilt, other] = [result.subarray(0, half), result.subarray(half)];
      expect(isPadding ? spoilt.some(Number.isNaN) : spoilt.every(Number.isNaN)).toBe(true);
      expect(other.every(Number.isFinite)).toBe(true);
    } finally {
      network.destroy();
    }
  });
});

describe.each(["attention(2)", "attention(2, causal=true)"])("one token of NaN: %s", (layer) => {
  const [tokens, channels, third] = [6, 8, 2];
  const values = sequences([tokens, channels], (token) => token === third);
  const attended = `
    input x: f32[N, ${tokens}, ${channels}]
    linear(${channels}, bias=false) as first -> ${layer}`;

  test("reaches all that attend to it, and no other", async () => {
    const network = await opened(`model M {${attended}}`, { batch: 2 });
    try {
      await network.write("first.weight", spoiling(channels));
      const result = await network.predict(values);
      const rows = Array.from({ length: 2 * tokens }, (_, row) =>
        result.subarray(row * channels, (row + 1) * channels),
      );
      const reached = rows.map((_, row) => {
        return row < tokens && (!layer.includes("causal") || row >= third);
      });
      expect(rows.map((row) => row.every(Number.isNaN))).toEqual(reached);
      expect(rows.map((row) => row.every(Number.isFinite))).toEqual(reached.map((each) => !each));
    } finally {
      network.destroy();
    }
  });

  test("reaches the loss and the weights before it", async () => {
    const network = await opened(
      `model M {
        target label: u32[N] in 0..3
        ${attended}
        flatten -> linear(3) as logits
        loss cross_entropy(logits, label)
      }`,
      { batch: 2 },
    );
    try {
      await network.write("first.weight", spoiling(channels));
      const { loss } = await network.step(values, [0, 0]);
      expect(loss).toBeNaN();
      const weight = await network.read("first.weight");
      expect(Array.from(weight).every(Number.isNaN)).toBe(true);
    } finally {
      network.destroy();
    }
  });
});

/**
 * Pools that keep winners, normalization by the batch's statistics, and what they are fused with.
 */
const TRAINED = [
  "relu -> maxpool(2)",
  "maxpool(3, stride=2, padding=1) -> relu6",
  "batchnorm -> relu",
  "conv(4, kernel=3, padding=1) -> batchnorm -> relu -> maxpool(2)",
  "groupnorm(2) -> hardsigmoid",
  "lrn(3, alpha=1e-4, beta=0.75, k=2, divide=size) -> tanh -> avgpool(2)",
  "dropout(0.3) -> elu -> softmax",
];

test.each(sampled(TRAINED, 3))("training shows NaN in its loss: %s", async (body) => {
  const spec = `
    model M {
      input image: f32[N, 4, 6, 6]
      target label: u32[N] in 0..3
      conv(4, kernel=1, bias=false) as first -> ${body}
      flatten -> linear(3) as logits
      loss cross_entropy(logits, label)
    }`;
  const network = await opened(spec, { batch: 2 });
  try {
    await network.write("first.weight", spoiling(4));
    const { loss } = await network.step(images([4, 6, 6]), [0, 0]);
    expect(loss).toBeNaN();
  } finally {
    network.destroy();
  }
});
