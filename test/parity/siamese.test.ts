import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { createNetwork, type Network } from "../../runtime/index.js";
import { relativeError, type Summary } from "../oracle/sketch.js";
import { labelValues, parameterValues, uniformValues } from "../oracle/values.js";
import { readExpected } from "./harness.js";
import { PLAIN, SIAMESE } from "../ports/siamese.js";

const COUNT = 4;
const TOLERANCE = 2e-5;

type Pair = Readonly<Record<"left" | "right", Float32Array>>;
interface Wanted {
  readonly kind: Uint32Array;
  readonly shift: Float32Array;
}
type Outputs = Readonly<Record<"logits" | "moved", Float32Array>>;
type Siamese = Network<
  string,
  string,
  { [name: string]: Uint32Array | Float32Array },
  Pair,
  Outputs
>;

const inputs: Pair = {
  left: uniformValues("siamese/left", COUNT * 3 * 12 * 12, 1),
  right: uniformValues("siamese/right", COUNT * 3 * 12 * 12, 1),
};
const wanted: Wanted = {
  kind: labelValues("siamese/kind", COUNT, 3),
  shift: uniformValues("siamese/shift", COUNT * 2, 1),
};

interface Options {
  readonly accumulate?: number;
  readonly keepGradients?: boolean;
}

async function open(spec: string, { accumulate = 1, keepGradients = true }: Options = {}) {
  const { programs, diagnostics } = compile(spec, { file: "siamese.net", keepGradients });
  expect(diagnostics).toEqual([]);
  const rates = { learningRate: 0.05, momentum: 0.9 };
  const network = await createNetwork(programs, { batch: COUNT, accumulate, ...rates });
  for (const { name, shape } of network.parameters) {
    await network.write(name, parameterValues(`siamese/${name}`, shape));
  }
  return network as unknown as Siamese;
}

test("two inputs, a shared tower and two targets train as in PyTorch", async () => {
  const expected = readExpected<{
    readonly losses: readonly number[];
    readonly gradients: Readonly<Record<string, Summary>>;
    readonly state: Readonly<Record<string, Summary>>;
    readonly outputs: Readonly<Record<string, Summary>>;
  }>("siamese");
  const network = await open(SIAMESE);
  try {
    const errors: Record<string, number> = {};
    for (const [step, loss] of expected.losses.entries()) {
      const metrics = await network.step(inputs, { ...wanted });
      errors[`loss ${step}`] = Math.abs(metrics["loss"]! - loss) / loss;
      for (const [name, gradient] of Object.entries(step === 0 ? expected.gradients : {})) {
        // A bias before batch normalization changes nothing: its gradient is rounding alone.
        if (name === "tower.conv1.bias") continue;
        errors[`gradient of ${name}`] = relativeError(
          await network.read(name, { of: "gradient" }),
          gradient,
        );
      }
    }
    for (const { name } of network.parameters) {
      if (name === "tower.conv1.bias") continue;
      errors[name] = relativeError(await network.read(name), expected.state[name]!);
    }
    const predicted = await network.predict(inputs);
    for (const [name, output] of Object.entries(expected.outputs)) {
      errors[name] = relativeError(predicted[name as keyof Outputs], output);
    }
    expect(Object.keys(errors).length).toBe(3 + 11 + 13 + 2);
    const wrong = Object.entries(errors).filter(([, error]) => !(error <= TOLERANCE));
    expect(wrong).toEqual([]);
  } finally {
    network.destroy();
  }
});

test("a step in slices leaves the weights of a whole one", async () => {
  const [whole, sliced] = await Promise.all([
    open(PLAIN, { keepGradients: false }),
    open(PLAIN, { keepGradients: false, accumulate: 2 }),
  ]);
  try {
    const losses = await Promise.all(
      [whole, sliced].map(async (network) => (await network.step(inputs, { ...wanted }))["loss"]!),
    );
    expect(losses[1]).toBeCloseTo(losses[0]!, 5);
    for (const { name } of whole.parameters) {
      const [a, b] = [await whole.read(name), await sliced.read(name)];
      expect(Math.max(...a.map((value, index) => Math.abs(value - b[index]!)))).toBeLessThan(1e-5);
    }
    const evaluated = await Promise.all(
      [whole, sliced].map((network) => network.evaluate(inputs, { ...wanted })),
    );
    expect(evaluated[1]!["error"]).toBeCloseTo(evaluated[0]!["error"]!, 5);
  } finally {
    whole.destroy();
    sliced.destroy();
  }
});

test("what is given is held against the program's tensors", async () => {
  const network = await open(PLAIN);
  const predict = (given: unknown) => network.predict(given as Pair);
  const step = (given: unknown) => network.step(inputs, given as never);
  const { left, right } = inputs;
  try {
    await expect(predict(left)).rejects.toThrow("expected { left, right }, not Float32Array");
    await expect(predict({ left })).rejects.toThrow("`right` is missing: expected { left, right }");
    await expect(predict({ left, right, up: left })).rejects.toThrow("there is no `up`");
    await expect(predict({ left, right: right.subarray(432) })).rejects.toThrow(
      "expected 4 x 3 x 12 x 12 = 1728 values of `right`, got 1296",
    );
    await expect(step(wanted.kind)).rejects.toThrow("expected { kind, shift }, not Uint32Array");
    await expect(step({ ...wanted, kind: [0, 1, 2, 3] })).rejects.toThrow("kind 3 is 3");
    await expect(step({ ...wanted, shift: [1] })).rejects.toThrow("`shift` must be a Float32Array");
  } finally {
    network.destroy();
  }
});
