/** Several networks that train together are one: `fit` with `exchange`, joined in this process. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { analyze, compile } from "../../compiler/index.js";
import {
  createNetwork,
  DataError,
  DivergedError,
  fit,
  loopback,
  openSplit,
  PeerFailedError,
  type Collective,
  type Dataset,
  type FitOptions,
  type FitResult,
  type Network,
  type TrainRecipe,
} from "../../runtime/index.js";
import type { Device } from "../../runtime/device.js";
import { runsAllVariants } from "../adapters.js";
import { SkipCounter } from "../../runtime/node/data/skipped.js";
import { uniformValues } from "../oracle/values.js";
import { openSeparateDevices } from "../shared-devices.js";

const adapter = process.env["NETC_ADAPTER"] ?? "embedded";
const networks: Network[] = [];
// A device for each: too many at a time end the process.
afterEach(() => networks.splice(0).forEach((network) => network.destroy()));

interface Parts {
  readonly loss?: string;
  readonly settings?: string;
  readonly layers?: string;
  readonly transforms?: string;
}

const SGD = "optimizer = sgd(lr=0.05, momentum=0.9, weight_decay=1e-3)";

const specOf = ({
  loss = "cross_entropy(logits, label)",
  settings = SGD,
  layers = "",
  transforms = "random_crop(8, padding=1) -> hflip(0.5) -> normalize(mean=[0.5], std=[0.5])",
}: Parts) => `model Small {
  input  image: f32[N, 1, 8, 8]
  target label: u32[N] in 0..2
  conv(4, kernel=3, padding=1) as stem ${layers} -> relu -> maxpool(2)
  flatten -> dropout(0.3) -> linear(8) as hidden -> relu
  linear(2) as logits
  loss ${loss}
  metric top1 = accuracy(logits, label)
}
data Some for Small {
  train folder("nowhere") { ${transforms} }
}
train Base of Small on Some {
  epochs = 2
  batch = 8
  ${settings}
  seed = 4
}`;

/** Bright above or below, with noise. 17 of them: the last batch of 8 holds one example. */
function halves(length = 17, unreadable: readonly number[] = []): Dataset {
  const imageAt = (index: number) => {
    const pixels = Uint8Array.from(
      { length: 64 },
      (_, at) => (at < 32 === (index % 2 === 0) ? 180 : 30) + ((at * 31 + index * 17) % 40),
    );
    return { width: 8, height: 8, channels: 1, pixels, maximum: 255 };
  };
  return {
    name: "halves",
    classes: ["above", "below"],
    length,
    pixels: "bytes",
    get: (index) => {
      const example = { image: imageAt(index), label: index % 2 };
      return Promise.resolve(unreadable.includes(index) ? undefined : example);
    },
  };
}

interface Trained {
  readonly network: Network;
  readonly losses: readonly number[];
  readonly result: FitResult;
}

type Opening = (batch: number) => Promise<Network>;

/** Compiles as for ranks, also for a single process: the lists are then the same. */
function compiled(source: string): { open: Opening; recipe: TrainRecipe } {
  const { programs, diagnostics } = compile(source, { file: "small.net", exchange: true });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const recipe = analyze(source, "small.net").selected!.recipe!;
  const open = async (batch: number) => {
    const network = await createNetwork(programs, { adapter, batch, seed: recipe.seed });
    networks.push(network);
    return network;
  };
  return { open, recipe };
}

async function trainOn(
  network: Network,
  dataset: Dataset,
  recipe: TrainRecipe,
  options: FitOptions = {},
): Promise<Trained> {
  const losses: number[] = [];
  const onStep: FitOptions["onStep"] = async (report) => {
    losses.push(report.metrics["loss"]!);
    await options.onStep?.(report);
  };
  const result = await fit(network, dataset, recipe, {
    evaluation: dataset,
    ...options,
    onStep,
  });
  return { network, losses, result };
}

async function alone(source: string, slices: number, dataset: Dataset, options?: FitOptions) {
  const { open, recipe } = compiled(source);
  const network = await open(recipe.batch);
  return trainOn(network, dataset, { ...recipe, accumulate: slices }, options);
}

async function together(source: string, n: number, dataset: Dataset, options?: FitOptions) {
  const { open, recipe } = compiled(source);
  return Promise.all(
    loopback(n).map(async (exchange) => {
      const network = await open(Math.ceil(recipe.batch / n));
      return trainOn(network, dataset, recipe, { ...options, exchange });
    }),
  );
}

async function tensorsOf(network: Network, roles: "all" | "trained" = "all") {
  const chosen = network.parameters.filter(({ role }) => roles === "all" || role === undefined);
  const read = chosen.map(async ({ name }) => [name, [...(await network.read(name))]] as const);
  return Object.fromEntries(await Promise.all(read));
}

async function expectSame(ranks: readonly Trained[], one: Trained): Promise<void> {
  const expected = await tensorsOf(one.network);
  for (const { network, result } of ranks) {
    expect(await tensorsOf(network)).toEqual(expected);
    expect(result.evaluation!.examples).toBe(one.result.evaluation!.examples);
    const loss = result.evaluation!.metrics["loss"]!;
    expect(loss).toBeCloseTo(one.result.evaluation!.metrics["loss"]!, 5);
    expect(result.state.step).toBe(one.result.state.step);
  }
  expect(ranks[0]!.losses).toEqual(one.losses);
}

// On the embedded adapter a device takes a second, and each rank has one.
const fewer = <Item>(all: readonly Item[], few: readonly Item[]) => (runsAllVariants ? all : few);

test.each(fewer([2, 4], [2]))(
  "%i ranks are one process with as many slices, bit for bit",
  async (n) => {
    const dataset = halves();
    await expectSame(await together(specOf({}), n, dataset), await alone(specOf({}), n, dataset));
  },
);

test.runIf(runsAllVariants)("two ranks train digits.net as one process in slices", async () => {
  const folder = join(import.meta.dirname, "../../specs");
  const source = readFileSync(join(folder, "digits.net"), "utf8");
  const { recipe } = compiled(source);
  const dataset = await openSplit(recipe.data!.train!, "train", {
    base: folder,
    shape: { channels: 1, height: 8, width: 8 },
  });
  const options = { steps: 5, evaluation: undefined };
  const one = await alone(source, 2, dataset, options);
  const ranks = await together(source, 2, dataset, options);
  const expected = await tensorsOf(one.network);
  for (const { network } of ranks) expect(await tensorsOf(network)).toEqual(expected);
});

describe("equal one process in slices", () => {
  test.each<[string, Parts]>([
    ["with adamw and clipping", { settings: "optimizer = adamw(lr=0.01)\n  clip_norm = 0.5" }],
    ["with averaged weights", { settings: `${SGD}\n  average = ema(0.9)` }],
    [
      "with stages of training",
      { settings: `${SGD}\n  freeze = [stem.*]\n  unfreeze = after(1 epochs, [stem.*])` },
    ],
  ])("%s", async (_, parts) => {
    const dataset = halves();
    const source = specOf(parts);
    await expectSame(await together(source, 2, dataset), await alone(source, 2, dataset));
  });

  test("with class weights, whose totals are those of all ranks", async () => {
    const dataset = halves();
    const source = specOf({ loss: "cross_entropy(logits, label, class_weights=[1, 3])" });
    await expectSame(await together(source, 2, dataset), await alone(source, 2, dataset));
  });

  test("with unreadable examples, which are counted over all ranks", async () => {
    // Those of the one batch that has a single example among them: a step is left out.
    const dataset = halves(17, [0, 3, 4, 11]);
    const one = await alone(specOf({}), 1, dataset);
    const ranks = await together(specOf({}), 2, dataset);
    expect(ranks[0]!.result.state.step).toBe(one.result.state.step);
    const [expected, found] = [await tensorsOf(one.network), await tensorsOf(ranks[0]!.network)];
    for (const [name, values] of Object.entries(expected)) {
      values.forEach((value, index) => expect(found[name]![index]).toBeCloseTo(value, 5));
    }
  });

  const mixings = fewer(
    ["mixup(0.4)", "cutmix(1.0)", "mixup_or_cutmix", "one_of(mixup(0.4), cutmix)"],
    ["mixup_or_cutmix", "one_of(mixup(0.4), cutmix)"],
  );
  test.each(mixings)("with %s, of images of other ranks", async (mixing) => {
    const source = specOf({
      transforms: `random_crop(8, padding=1) -> normalize(mean=[0.5], std=[0.5]) -> ${mixing}`,
    });
    const bytes = halves(17, [4]);
    // Prepared on the device, and in JavaScript.
    for (const dataset of [bytes, { ...bytes, pixels: "floats" } as const]) {
      const options = { evaluation: undefined, steps: 3 };
      const one = await alone(source, 1, dataset, options);
      const ranks = await together(source, 3, dataset, options);
      const [expected, found] = [await tensorsOf(one.network), await tensorsOf(ranks[0]!.network)];
      for (const [name, values] of Object.entries(expected)) {
        values.forEach((value, index) => expect(found[name]![index]).toBeCloseTo(value, 5));
      }
    }
  });

  test("with batch normalization, but for the running statistics, which are averaged", async () => {
    const dataset = halves(16);
    const source = specOf({ layers: "-> batchnorm" });
    const one = await alone(source, 2, dataset, { evaluation: undefined });
    const ranks = await together(source, 2, dataset, { evaluation: undefined });
    const expected = await tensorsOf(one.network, "trained");
    for (const { network } of ranks) expect(await tensorsOf(network, "trained")).toEqual(expected);
    const statistics = await Promise.all(ranks.map(({ network }) => tensorsOf(network)));
    expect(statistics[1]).toEqual(statistics[0]);
  });
});

test("frozen statistics are the same bits after steps of three ranks", async () => {
  const names = ["norm.running_mean", "norm.running_var"];
  const source = specOf({
    layers: "-> batchnorm as norm",
    settings: `${SGD}\n  freeze_statistics = [norm]\n  average = ema(0.9)`,
  });
  const { open, recipe } = compiled(source);
  const given = names.map((name) => uniformValues(name, 4, 0.5).map((value) => value + 1));
  const networks = await Promise.all(
    loopback(3).map(async (exchange) => {
      const network = await open(3);
      for (const [index, name] of names.entries()) await network.write(name, given[index]!);
      // Two images on each of three ranks: thirds are not exact.
      await trainOn(network, halves(6), recipe, { exchange, evaluation: undefined });
      return network;
    }),
  );
  for (const network of networks) {
    expect(await Promise.all(names.map((name) => network.read(name)))).toEqual(given);
  }
});

/** The largest difference of any number of two networks. */
async function differenceOf(one: Trained, other: Trained): Promise<number> {
  const [expected, found] = [await tensorsOf(one.network), await tensorsOf(other.network)];
  const each = Object.entries(expected).flatMap(([name, values]) =>
    values.map((value, index) => Math.abs(value - found[name]![index]!)),
  );
  return Math.max(...each);
}

describe("sync_batchnorm", () => {
  const layers = "-> batchnorm -> relu -> conv(8, kernel=3) -> batchnorm(affine=false)";

  type Case = readonly [ranks: number, images: number, settings: string];
  /** The last batch has 3 examples, on 3 of 4 ranks. */
  const uneven: Case = [4, 19, SGD];
  const others: readonly Case[] = [
    [2, 16, SGD],
    [3, 16, `${SGD}\n  average = ema(0.9)\n  clip_norm = 0.5`],
  ];

  test.each(fewer([uneven, ...others], others.slice(0, 1)))(
    "%i ranks with %i images are one process",
    async (ranks, images, settings) => {
      const source = specOf({ layers, settings: `${settings}\n  sync_batchnorm = true` });
      const dataset = halves(images);
      const one = await alone(source, 1, dataset);
      const all = await together(source, ranks, dataset);
      for (const each of all) expect(await differenceOf(one, each)).toBeLessThan(1e-5);
      expect(await tensorsOf(all[1]!.network)).toEqual(await tensorsOf(all[0]!.network));
      // Statistics of each rank alone are something else.
      const local = await together(source.replace("sync_batchnorm = true", ""), ranks, dataset);
      expect(await differenceOf(one, local[0]!)).toBeGreaterThan(1e-3);
    },
  );

  test("a part of a batch in slices is refused before the run", async () => {
    const source = specOf({ layers, settings: `${SGD}\n  sync_batchnorm = true` });
    const { open, recipe } = compiled(source);
    const [exchange] = loopback(2);
    const run = fit(await open(4), halves(), { ...recipe, accumulate: 4 }, { exchange });
    await expect(run).rejects.toThrow("each rank's part of a batch in one piece, not in 2 slices");
  });

  test("an error on one rank between two exchanges ends all", async () => {
    const source = specOf({ layers, settings: `${SGD}\n  sync_batchnorm = true` });
    const { open, recipe } = compiled(source);
    const runs = loopback(2).map(async (exchange) =>
      fit(await open(4), halves(), recipe, {
        exchange: exchange.rank === 1 ? failingOnce(exchange, 12) : exchange,
      }),
    );
    const [first, second] = await Promise.allSettled(runs);
    expect(second).toMatchObject({ reason: expect.any(DataError) as Error });
    expect(first).toMatchObject({ reason: expect.any(PeerFailedError) as Error });
    const { message } = (first as PromiseRejectedResult).reason as Error;
    expect(message).toBe("rank 1 ended the run: the cable is loose");
  });
});

/** A rank that fails before it arrives for the nth time. */
function failingOnce(exchange: Collective, nth: number): Collective {
  let count = 0;
  const failing = Object.create(exchange) as {
    -readonly [Name in keyof Collective]: Collective[Name];
  };
  failing.arrive = (arrival) =>
    ++count === nth
      ? Promise.reject(new DataError("the cable is loose"))
      : exchange.arrive(arrival);
  return failing;
}

describe("gradients as halves", () => {
  test("train to nearly the same weights, and all ranks to the same bits", async () => {
    const dataset = halves(32);
    const one = await alone(specOf({}), 1, dataset);
    for (const n of [2, 3]) {
      const ranks = await together(specOf({}), n, dataset, { wire: "f16" });
      const difference = await differenceOf(one, ranks[0]!);
      expect(difference).toBeGreaterThan(0);
      expect(difference).toBeLessThan(1e-4);
      const [first, ...others] = await Promise.all(ranks.map(({ network }) => tensorsOf(network)));
      for (const other of others) expect(other).toEqual(first);
    }
  });

  test("what is not finite reaches the update", async () => {
    const { open, recipe } = compiled(specOf({ settings: "optimizer = sgd(lr=1e30)" }));
    const runs = loopback(2).map(async (exchange) =>
      fit(await open(4), halves(), recipe, { exchange, wire: "f16" }),
    );
    const [first] = await Promise.allSettled(runs);
    expect(first).toMatchObject({ reason: expect.any(DivergedError) as Error });
  });
});

test("sgd without nesterov takes slices in another order: a step differs by an ulp", async () => {
  const dataset = halves(8);
  const options = { steps: 1, evaluation: undefined };
  const { recipe } = compiled(specOf({}));
  const { programs } = compile(specOf({}), { file: "small.net" });
  const network = await createNetwork(programs, { adapter, batch: 8, seed: recipe.seed });
  networks.push(network);
  const plain = await trainOn(network, dataset, { ...recipe, accumulate: 2 }, options);
  const exchanged = await alone(specOf({}), 2, dataset, options);
  const [one, other] = [await tensorsOf(plain.network), await tensorsOf(exchanged.network)];
  for (const [name, values] of Object.entries(one)) {
    const largest = Math.max(...values.map(Math.abs));
    const limit = 2 ** -22 * largest;
    values.forEach((value, index) =>
      expect(Math.abs(value - other[name]![index]!)).toBeLessThanOrEqual(limit),
    );
  }
});

test("files that ranks skip count together", async () => {
  const { open, recipe } = compiled(specOf({}));
  const runs = loopback(2).map(async (exchange) =>
    fit(await open(4), skipping([0, 3, 5, 8, 11], 4), recipe, { exchange }),
  );
  for (const outcome of await Promise.allSettled(runs)) {
    const { message } = (outcome as PromiseRejectedResult).reason as Error;
    expect(message).toMatch(/5 of the 17 files in halves cannot be decoded, and 4 are tolerated/);
  }
});

/** A dataset that skips some examples, of which it tolerates a number. */
function skipping(indices: readonly number[], maximumSkips: number): Dataset {
  const whole = halves();
  const skips = new SkipCounter("halves", whole.length, { maximumSkips });
  return {
    ...whole,
    newlySkipped: () => skips.take(),
    noteSkipped: (skipped) => skips.note(skipped),
    get: (index) => {
      if (!indices.includes(index)) return whole.get(index);
      skips.add(`${index}.png`, "it is damaged");
      return Promise.resolve(undefined);
    },
  };
}

test("a signal on one rank stops all before the same step", async () => {
  const { open, recipe } = compiled(specOf({}));
  const controller = new AbortController();
  const runs = loopback(2).map(async (exchange) => {
    const network = await open(4);
    return fit(network, halves(), recipe, {
      exchange,
      signal: exchange.rank === 1 ? controller.signal : undefined,
      onStep: ({ step }) => exchange.rank === 1 && step === 2 && controller.abort(),
    });
  });
  const results = await Promise.all(runs);
  expect(results.map(({ completed, state }) => [completed, state.step])).toEqual([
    [false, 2],
    [false, 2],
  ]);
});

test("an error on one rank ends all, with what was trained saved by rank 0", async () => {
  const { open, recipe } = compiled(specOf({}));
  const saved: number[] = [];
  const runs = loopback(2).map(async (exchange) => {
    const network = await open(4);
    const broken = { ...halves(), get: brokenAfter(10) };
    return fit(network, exchange.rank === 1 ? broken : halves(), recipe, {
      exchange,
      checkpoint: exchange.rank === 0 ? ({ step }) => saved.push(step) : undefined,
    });
  });
  const [first, second] = await Promise.allSettled(runs);
  expect(second).toMatchObject({ reason: expect.any(DataError) as Error });
  expect(first).toMatchObject({ reason: expect.any(PeerFailedError) as Error });
  expect((first as PromiseRejectedResult).reason).toHaveProperty(
    "message",
    "rank 1 ended the run: the disk is gone",
  );
  expect(saved.at(-1)).toBeGreaterThan(0);
});

function brokenAfter(reads: number): Dataset["get"] {
  let count = 0;
  const whole = halves();
  return (index) =>
    ++count > reads ? Promise.reject(new DataError("the disk is gone")) : whole.get(index);
}

describe("separate devices", () => {
  openSeparateDevices();

  test("a device that one rank loses ends all, with what was trained saved by rank 0", async () => {
    const { open, recipe } = compiled(specOf({}));
    const saved: number[] = [];
    const runs = loopback(2).map(async (exchange) => {
      const network = await open(4);
      return fit(network, halves(), recipe, {
        exchange,
        checkpoint: exchange.rank === 0 ? ({ step }) => saved.push(step) : undefined,
        onStep: ({ step }) => exchange.rank === 1 && step === 2 && loseDevice(network),
      });
    });
    const [first, second] = await Promise.allSettled(runs);
    expect(second).toMatchObject({ reason: { name: "DeviceLostError" } });
    expect(first).toMatchObject({
      reason: {
        name: "PeerFailedError",
        message: expect.stringMatching(/^rank 1 ended the run: .*lost/) as string,
      },
    });
    expect(saved.at(-1)).toBeGreaterThanOrEqual(2);
  });
});

/** As a driver does that is reset. */
function loseDevice(network: Network): void {
  (network as unknown as { device: Device }).device.gpu.destroy();
}

test("a loss that is not finite ends all ranks", async () => {
  const { open, recipe } = compiled(specOf({ settings: "optimizer = sgd(lr=1e30)" }));
  const runs = loopback(2).map(async (exchange) =>
    fit(await open(4), halves(), recipe, { exchange }),
  );
  const [first, second] = await Promise.allSettled(runs);
  expect(first).toMatchObject({ reason: expect.any(DivergedError) as Error });
  expect(second).toMatchObject({ reason: expect.any(PeerFailedError) as Error });
});

test("ranks that begin with different weights are named with the tensor", async () => {
  const { open, recipe } = compiled(specOf({}));
  const runs = loopback(2).map(async (exchange) => {
    const network = await open(4);
    if (exchange.rank === 1) await network.write("hidden.bias", new Float32Array(8).fill(1));
    return fit(network, halves(), recipe, { exchange });
  });
  const outcomes = await Promise.allSettled(runs);
  const difference = "`hidden.bias` differs between rank 0 and rank 1 after step 0";
  expect(outcomes.map((outcome) => (outcome as PromiseRejectedResult).reason as Error)).toEqual([
    expect.objectContaining({ message: difference }),
    expect.objectContaining({ message: `rank 0 ended the run: ${difference}` }),
  ]);
});

test("what ranks cannot do together is refused before the run", async () => {
  const [exchange] = loopback(2);
  const source = specOf({});
  const { programs } = compile(source, { file: "small.net" });
  const plain = await createNetwork(programs, { adapter, batch: 4 });
  networks.push(plain);
  const { recipe } = compiled(source);
  await expect(fit(plain, halves(), recipe, { exchange })).rejects.toThrow(
    "`exchange` needs a network that was compiled with the option `exchange: true`",
  );
});
