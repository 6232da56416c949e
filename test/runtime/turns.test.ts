import { describe, expect, test } from "vitest";
import { analyze, compile } from "../../compiler/index.js";
import { createNetwork, fit, loopback, parseTensors } from "../../runtime/index.js";
import { uniformValues } from "../oracle/values.js";
import type { Network } from "../../runtime/network.js";
import { optimizerOfTurn } from "../../runtime/turns.js";
import { ADAM, gan, STEPS, type GanParts } from "../ports/gan.js";

const COUNT = 8;
const images = uniformValues("turns/images", COUNT * 64, 1);

const open = async (
  parts: GanParts = {},
  options: { seed?: number; learningRate?: number } = {},
) => {
  const { programs, diagnostics } = compile(gan(parts), { file: "gan.net" });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const adapter = process.env["NETC_ADAPTER"];
  return createNetwork<string, string, void>(programs, {
    batch: COUNT,
    seed: 3,
    adapter,
    ...options,
  });
};

const weights = (net: Pick<Network, "parameters">) =>
  net.parameters.filter(({ name }) => !name.includes("running"));

const DROPS = { dropout: "-> dropout(0.3)" };

describe("steps of a recipe", () => {
  test("take up where a checkpoint leaves them, bit by bit, both optimizers with it", async () => {
    const net = await open(DROPS);
    for (let step = 0; step < 2; step++) await net.step(images, undefined);
    const saved = await net.save({ optimizer: true });
    const kept = [...parseTensors(saved).tensors.keys()].filter((name) => name.includes("exp_avg"));
    expect(kept.some((name) => name.includes("discriminator"))).toBe(true);
    expect(kept.some((name) => name.includes("generator"))).toBe(true);
    const again = await open(DROPS, { seed: 99 });
    await again.load(saved);
    for (let step = 0; step < 2; step++) {
      expect(await again.step(images, undefined)).toEqual(await net.step(images, undefined));
    }
    for (const { name } of net.parameters) {
      expect(await again.read(name)).toEqual(await net.read(name));
    }
    net.destroy();
    again.destroy();
  });

  test("update their own weights and statistics, at rates that follow the first's", async () => {
    const net = await open();
    const read = async (name: string) => (await net.read(name))[0]!;
    const names = ["discriminator.linear1.bias", "generator.conv_transpose1.bias"];
    const before = await Promise.all(names.map(read));
    await net.step(images, undefined, { learningRate: 2e-2 });
    const moved = await Promise.all(names.map(read));
    // Adam's first step has the size of the learning rate.
    const sizes = moved.map((value, place) => Math.abs(value - before[place]!));
    expect(sizes[0]).toBeCloseTo(2e-2, 4);
    expect(sizes[1]).toBeCloseTo(1e-2, 4);
    net.destroy();
  });

  test("stay finite and where they are at a first rate of 0, however it comes", async () => {
    const options = { file: "gan.net", overrides: { learningRate: 0 } };
    const { programs } = compile(gan(), options);
    const adapter = process.env["NETC_ADAPTER"];
    const still = await createNetwork<string, string, void>(programs, { batch: COUNT, adapter });
    const [moving, opened] = [await open(), await open({}, { learningRate: 0 })];
    for (const net of [still, moving, opened]) {
      const state = () => Promise.all(weights(net).map(({ name }) => net.read(name)));
      const before = await state();
      const given = net === moving ? { learningRate: 0 } : {};
      const { d, g } = await net.step(images, undefined, given);
      expect([d, g].every(Number.isFinite)).toBe(true);
      expect(await state()).toEqual(before);
    }
    await expect(still.step(images, undefined, { learningRate: 0.1 })).rejects.toThrow(/is 0 in/);
    for (const net of [still, moving, opened]) net.destroy();
  });

  test("in slices only sum in another order", async () => {
    const free = { settings: STEPS.replaceAll("adam", "adamw") };
    const text = gan(free).replaceAll("-> batchnorm ", "");
    const losses: number[][] = [];
    for (const accumulate of [1, 2, 4]) {
      const { programs } = compile(text, { file: "gan.net" });
      const adapter = process.env["NETC_ADAPTER"];
      const net = await createNetwork<string, string, void>(programs, {
        batch: COUNT,
        seed: 3,
        adapter,
      });
      for (let step = 0; step < 3; step++) await net.step(images, undefined, { accumulate });
      const { d, g, certain } = await net.step(images, undefined, { accumulate });
      losses.push([d!, g!, certain!]);
      net.destroy();
    }
    for (const [place, value] of losses[0]!.entries()) {
      expect(losses[1]![place]).toBeCloseTo(value, 4);
      expect(losses[2]![place]).toBeCloseTo(value, 4);
    }
  });

  // Slices of plain SGD are applied as they come; a step that clips waits for the sum of all.
  test.each([
    ["the first step alone", ["clip_norm = 0.1", ""]],
    ["the second step alone", ["", "clip_norm = 0.01"]],
    ["the second step alone, each value,", ["", "clip_value = 0.001"]],
    ["neither", ["", ""]],
  ] as const)("in slices come to the same where %s clips", async (_, [d, g]) => {
    const settings = `
  step d { update = discriminator optimizer = sgd(lr=0.2) ${d} }
  step g { update = generator optimizer = sgd(lr=0.2, momentum=0.5) ${g} }`;
    const text = gan({ settings: settings.replaceAll(/ (optimizer|clip)/g, "\n    $1") });
    const { programs } = compile(text.replaceAll("-> batchnorm ", ""), { file: "gan.net" });
    const trained = async (accumulate: number) => {
      const adapter = process.env["NETC_ADAPTER"];
      const options = { batch: COUNT, seed: 3, adapter };
      const net = await createNetwork<string, string, void>(programs, options);
      const read = async () => {
        const all = await Promise.all(net.parameters.map(({ name }) => net.read(name)));
        return all.map((values) => [...values]);
      };
      const before = await read();
      for (let step = 0; step < 2; step++) await net.step(images, undefined, { accumulate });
      const after = await read();
      net.destroy();
      return { before, after };
    };
    const [whole, sliced] = [await trained(1), await trained(3)];
    whole.after.forEach((values, index) => {
      expect(values).not.toEqual(whole.before[index]);
      for (const [place, value] of values.entries())
        expect(sliced.after[index]![place]).toBeCloseTo(value, 5);
    });
  });

  test("draw noise by step and seed; evaluations draw the same each time", async () => {
    const [net, other] = [await open(), await open({}, { seed: 4 })];
    const evaluated = await net.evaluate(images, undefined);
    expect(Object.keys(evaluated)).toEqual(["loss", "d", "g", "certain"]);
    expect(await net.evaluate(images, undefined)).toEqual(evaluated);
    const first = await net.step(images, undefined, { learningRate: 0 });
    const second = await net.step(images, undefined, { learningRate: 0 });
    expect(second.g).not.toBe(first.g);
    expect((await other.step(images, undefined)).g).not.toBe(first.g);
    net.destroy();
    other.destroy();
  });

  test("predict samples of given noise, whatever was trained in between", async () => {
    const net = await open();
    const z = uniformValues("turns/z", 4 * 6, 1);
    const samples = await net.predict(z);
    expect(samples).toHaveLength(4 * 64);
    const { loss } = await net.evaluate(images, undefined);
    expect(await net.predict(z)).toEqual(samples);
    expect((await net.evaluate(images, undefined)).loss).toBe(loss);
    const alone = compile(gan(), { file: "gan.net", predictOnly: true }).program!;
    const predicted = alone.parameters.map(({ name }) => name.split(".")[0]);
    expect(new Set(predicted)).toEqual(new Set(["generator"]));
    expect(alone.tensors.map(({ name }) => name)).toEqual(["z", "generator.sample"]);
    net.destroy();
  });

  test("are not shared by several ranks", async () => {
    const net = await open();
    const { recipe } = compile(gan(), { file: "gan.net" });
    async function* batches() {
      yield await Promise.resolve({ images, targets: undefined });
    }
    const [exchange] = loopback(2);
    const options = { exchange: exchange!, stepsPerEpoch: 1 };
    await expect(fit(net, batches, recipe!, options)).rejects.toThrow(/`step`/);
    net.destroy();
  });
});

describe("the settings of a later step", () => {
  const adam = { kind: "adam", weightDecay: 0.1, beta1: 0.5, beta2: 0.9, epsilon: 1e-8 } as const;
  const first = { ...adam, learningRate: 2e-4 };
  const program = { optimizer: first, turns: [{ ...adam, beta1: 0, learningRate: 1e-3 }] };

  test("are the recipe's where the call has no others", () => {
    expect(optimizerOfTurn(program, 1)).toEqual(program.turns[0]);
  });

  test("take the ratio of the rates, and a weight decay that is not the recipe's", () => {
    const given = { ...first, learningRate: 1e-4, weightDecay: 0 };
    const { learningRate, ...rest } = optimizerOfTurn(program, 1, given);
    expect(learningRate).toBeCloseTo(5e-4, 9);
    expect(rest).toEqual({ ...adam, beta1: 0, weightDecay: 0 });
  });

  test("keep the ratio under `--lr`", () => {
    const overrides = { learningRate: 1e-5 };
    const { recipe } = compile(gan(), { file: "gan.net", overrides });
    expect(recipe!.optimizer.learningRate).toBe(1e-5);
    const rates = recipe!.steps!.map(({ optimizer }) => optimizer.learningRate);
    expect(rates[0]).toBe(1e-5);
    expect(rates[1]).toBeCloseTo(5e-6, 12);
  });
});

const reported = (settings: string, text = gan({ settings })): readonly string[] =>
  analyze(text, "gan.net").diagnostics.map(({ code, message }) => `${code} ${message}`);

test.each([
  ["\n  optimizer = adam(lr=1e-3)", "NET3080 train `Base` does not say which weights"],
  [STEPS.replace("update    = discriminator", ""), "NET3080 step `d` does not say which"],
  [STEPS.replace("= discriminator", "= discriminatr"), "NET3022 `discriminatr` matches no weights"],
  [
    STEPS.replace("= discriminator", "= generator"),
    "NET3080 `generator.linear1.weight` is updated",
  ],
  [STEPS.replace("step g", "step h"), "NET3080 model `Gan` has no loss `h`"],
  [STEPS.replace("step g", "stop g"), "NET3080 a recipe has no `stop { ... }`"],
  [STEPS.replace(ADAM, "sgd(lr=0.1)"), "NET3081 step `g` has `adam`, and the first step `sgd`"],
  [STEPS.replaceAll("adam", "nadam"), "NET3081 steps cannot be taken by `nadam`"],
  [`\n  average = ema(0.9)${STEPS}`, "NET3081 `average` does not go with `step`"],
  [`\n  precision = f16${STEPS}`, "NET3081 `precision` does not go with `step`"],
  [`\n  schedule = reduce_on_plateau(factor=0.1, patience=2)${STEPS}`, "NET3081 `reduce_on"],
  [
    `${STEPS.replace("update    =", "momentum = 1\n    update =")}`,
    "NET3003 a step has no setting",
  ],
  [`\n  freeze = [generator.*]${STEPS}`, "NET3023 `freeze` freezes all weights that step `g`"],
  [STEPS.replace("= generator", "= generator.linear1"), "NET3082 no step updates"],
])("a recipe with mistaken steps is refused before it runs: %#", (settings, message) => {
  expect(reported(settings).some((each) => each.startsWith(message))).toBe(true);
});

test("losses and noise that cannot be are refused at their lines", () => {
  const text = gan();
  expect(reported("", text.replace("loss d = ", "loss "))[0]).toMatch(/^NET1004/);
  expect(reported("", text.replace("of normal", "of gaussian"))[0]).toMatch(/^NET2080 .*`normal`/);
  const alone = text.replace(/ {2}input image.*\n/, "").replace(/from image.*\n/, "");
  expect(reported("", alone.replace(/ {2}loss d[^]*?\n/, "")).join("\n")).toMatch(/NET2080 model/);
});
