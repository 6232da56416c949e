import { afterAll, describe, expect, test } from "vitest";
import type { Graph } from "../../compiler/ir/graph.js";
import type { ProgramOptions } from "../../compiler/program.js";
import type { LossScale, MixedPrecision } from "../../program/recipe.js";
import { createNetwork, findAdapter, type Network } from "../../runtime/index.js";
import { parseTensors } from "../../runtime/safetensors.js";
import { adapterWithHalves } from "../adapters.js";
import { distance, OPTIMIZER, programsOf } from "../kernels/compare.js";
import { labelValues, parameterValues, uniformValues } from "../oracle/values.js";
import { Chain } from "../passes/chain.js";

const { adapter } = await findAdapter(process.env["NETC_ADAPTER"]);
const found = await adapterWithHalves();

const DYNAMIC = { kind: "dynamic", initial: 256, growth: 2, backoff: 0.5, interval: 2 } as const;

const mixed = (lossScale: LossScale): MixedPrecision => ({ kind: "f16", lossScale });

const [COUNT, CLASSES] = [6, 3];
const images = uniformValues("precision/images", COUNT * 3 * 10 * 10, 1);
const labels = labelValues("precision/labels", COUNT, CLASSES);

const graph = (): Graph =>
  new Chain(["N", 3, 10, 10])
    .convolution(8)
    .batchnorm()
    .unary("relu")
    .maxPool({ kernel: [2, 2], stride: [2, 2] })
    .convolution(12, { groups: 2 })
    .bias()
    .unary("relu")
    .flatten()
    .linear(10)
    .unary("tanh")
    .classify({ smoothing: 0 });

const opened: Network[] = [];
afterAll(() => {
  for (const network of opened) network.destroy();
});

async function open(options: Partial<ProgramOptions>): Promise<Network> {
  const given = { keepGradients: false, ...options };
  const network = await createNetwork(programsOf(graph(), given, ["gpu", "lanes8"]), {
    batch: COUNT,
    seed: 3,
    adapter: found!.source,
  });
  opened.push(network);
  for (const { name, shape, role } of network.parameters) {
    if (role !== "statistic")
      await network.write(name, parameterValues(`precision/${name}`, shape));
  }
  return network;
}

/** Everything that a checkpoint holds, and the state of the loss scale. */
async function stateOf(network: Network) {
  const { tensors, metadata } = parseTensors(await network.save({ optimizer: true }));
  const [scale, good, , , factor, skipped] = (metadata["loss_scale"] ?? "").split(" ").map(Number);
  const values = new Map([...tensors].map(([name, { values: own }]) => [name, own]));
  return { values, scale, good, factor, skipped };
}

const isStatistic = (name: string) => name.includes("running_");

test("without shader-f16 the network says so and runs in 32 bits", async () => {
  const device = await adapter.requestDevice({ requiredFeatures: ["subgroups"] });
  const warnings: string[] = [];
  const f32 = programsOf(graph(), {}, ["gpu", "lanes8", "lanes4"]);
  const f16 = programsOf(graph(), { precision: mixed(DYNAMIC) }, ["gpu", "lanes8"]);
  const [network, plain] = await Promise.all([
    createNetwork([...f16, ...f32], {
      device,
      batch: COUNT,
      onWarning: (message) => warnings.push(message),
    }),
    createNetwork(f32, { device, batch: COUNT }),
  ]);
  expect(warnings).toEqual([
    `${network.adapter.name} has no \`shader-f16\`: this network runs in f32, not f16`,
  ]);
  expect(network.program.precision).toBeUndefined();
  expect(await network.step(images, labels)).toEqual(await plain.step(images, labels));
  expect(await network.predict(images)).toEqual(await plain.predict(images));
  for (const each of [network, plain]) each.destroy();
  device.destroy();
});

describe.skipIf(!found)("on an adapter with shader-f16", () => {
  test("a step is that of 32 bits but for rounding to 16", async () => {
    const keepGradients = true;
    const scale = 512;
    const f32 = await open({ keepGradients });
    const f16 = await open({ keepGradients, precision: mixed({ kind: "static", scale }) });
    expect([f32.program.precision, f16.program.precision]).toEqual([undefined, "f16"]);
    // A value is wrong by 2^-11 of itself; a few layers of sums of such values, and signs of relu
    // that turn, come to some times that.
    const tolerance = 8 * 2 ** -11;
    expect(distance(await f16.predict(images), await f32.predict(images))).toBeLessThan(tolerance);
    const [half, full] = [await f16.step(images, labels), await f32.step(images, labels)];
    expect(half["loss"]).toBeCloseTo(full["loss"]!, 2);
    for (const { name, role } of f32.parameters) {
      if (role === "statistic") continue;
      const scaled = await f16.read(name, { of: "gradient" });
      const gradient = scaled.map((value) => value / scale);
      const expected = await f32.read(name, { of: "gradient" });
      expect(distance(gradient, expected), name).toBeLessThan(3 * tolerance);
      // A bias before a normalization has no gradient but rounding; weights differ by less than
      // their gradients.
      expect(distance(await f16.read(name), await f32.read(name)), name).toBeLessThan(tolerance);
    }
  });

  test(
    "a step whose gradients overflow changes nothing and halves the scale; " +
      "good steps double it",
    async () => {
      const initial = 2 ** 40;
      const average = { kind: "ema", decay: 0.5 } as const;
      const network = await open({ precision: mixed({ ...DYNAMIC, initial }), average });
      const before = await stateOf(network);
      expect(before.scale).toBe(initial);
      await network.step(images, labels);
      const after = await stateOf(network);
      expect([after.scale, after.good, after.factor, after.skipped]).toEqual([
        initial / 2,
        0,
        0,
        1,
      ]);
      for (const [name, values] of after.values) {
        // Running statistics are the forward pass's; their averages wait.
        if (isStatistic(name) && !name.startsWith("average.")) continue;
        expect(values, name).toEqual(before.values.get(name));
      }
      let state = after;
      for (let step = 0; step < 40 && state.factor === 0; step++) {
        await network.step(images, labels);
        state = await stateOf(network);
      }
      const { scale, skipped } = state;
      expect(scale).toBe(initial / 2 ** skipped!);
      expect([state.good, state.factor]).toEqual([1, 1 / scale!]);
      expect(state.values.get("linear3.weight") ?? [...state.values.values()][0]).not.toEqual(
        before.values.get("linear3.weight") ?? [...before.values.values()][0],
      );
      await network.step(images, labels);
      const grown = await stateOf(network);
      expect([grown.scale, grown.good]).toEqual([2 * scale!, 0]);
    },
  );

  test("a resumed run ends with the same bits, the scale's among them", async () => {
    const adam: ProgramOptions["optimizer"] = {
      kind: "adam",
      learningRate: 0.01,
      weightDecay: 0,
      beta1: 0.9,
      beta2: 0.99,
      epsilon: 1e-8,
      clip: { norm: 1 },
    };
    // So large that it backs off on the way.
    const options = { precision: mixed({ ...DYNAMIC, initial: 2 ** 22 }), optimizer: adam };
    const whole = await open(options);
    for (let step = 0; step < 8; step++) await whole.step(images, labels);
    const first = await open(options);
    for (let step = 0; step < 4; step++) await first.step(images, labels);
    const resumed = await open(options);
    await resumed.load(await first.save({ optimizer: true }));
    for (let step = 0; step < 4; step++) await resumed.step(images, labels);
    expect(await resumed.save({ optimizer: true })).toEqual(await whole.save({ optimizer: true }));
    expect((await stateOf(whole)).skipped).toBeGreaterThan(0);
  });

  test("slices of a batch are one step, which counts or does not as a whole", async () => {
    const options = { precision: mixed(DYNAMIC), optimizer: OPTIMIZER };
    const [whole, sliced] = [await open(options), await open(options)];
    await whole.step(images, labels);
    await sliced.step(images, labels, { accumulate: 2 });
    const [one, other] = [await stateOf(whole), await stateOf(sliced)];
    expect([other.scale, other.good]).toEqual([one.scale, one.good]);
    const overflowing = await open({
      ...options,
      precision: mixed({ ...DYNAMIC, initial: 2 ** 60 }),
    });
    const before = await stateOf(overflowing);
    await overflowing.step(images, labels, { accumulate: 3 });
    const after = await stateOf(overflowing);
    expect(after.skipped).toBe(1);
    for (const [name, values] of before.values)
      if (!isStatistic(name)) expect(after.values.get(name), name).toEqual(values);
  });
});
