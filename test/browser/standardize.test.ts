/** Modules of standardized tables take the table's numbers, in Node, pages and workers. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TrainRecipe } from "../../program/recipe.js";
import { fit, loadBatches, openData, parseTensors, type Dataset } from "../../runtime/index.js";
import { chromiumPath, launchChromium } from "./chromium.js";
import { addressOf, serve } from "./server.js";

const root = join(import.meta.dirname, "../..");

const SPEC = `model Heights {
  input  x: f32[N, 2]
  target y: f32[N, 1]
  linear(4) -> tanh -> linear(1) as out
  loss   mse(out, y)
  metric error = mae(out, y)
}
data Table for Heights {
  train csv("rows.csv", label="y", standardize=true)
  eval  csv("rows.csv", label="y", standardize=true)
}
train Base of Heights on Table {
  epochs    = 20
  batch     = 16
  optimizer = adam(lr=0.03)
}`;

/** Columns whose means and deviations are far from 0 and 1. */
const ROWS = Array.from({ length: 64 }, (_, row) => {
  const [a, b] = [Math.sin(row), Math.cos(1.7 * row)];
  return [1000 + 50 * a, 0.002 * b - 0.01, a - b].map((each) => Number(each.toFixed(6)));
});
const ASKED = ROWS.slice(0, 3).map(([a, b]) => [a!, b!]);
const VARIANTS = ["plain", "predict-only", "alone", "alone-predict-only"] as const;

/** What Node, pages and workers run alike, with a network `net` and the bytes of its weights. */
const ASK = `async (net, weights, rows) => {
  const values = Float32Array.from(rows.flat());
  const refused = await net.predict(values).catch(({ message }) => message);
  const loading = net.load(weights);
  // Waits for the weights, and keeps the numbers as they are now.
  const early = net.predict(values);
  values.fill(0);
  await loading;
  const later = await net.predict(Float32Array.from(rows.flat()));
  return { refused, early: [...(await early)], later: [...later] };
}`;

interface Answer {
  readonly refused: string;
  readonly early: readonly number[];
  readonly later: readonly number[];
}
type Ask = (net: unknown, weights: Uint8Array, rows: unknown) => Promise<Answer>;

let folder: string;
let expected: readonly number[];

const netc = (...args: readonly string[]) =>
  execFileSync(process.execPath, [join(root, "dist", "cli", "main.js"), ...args], {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });

beforeAll(() => {
  mkdirSync(join(root, ".cache"), { recursive: true });
  folder = mkdtempSync(join(root, ".cache", "standardize-"));
  const table = (rows: readonly (readonly number[])[], names: string) =>
    [names, ...rows.map((row) => row.join(","))].join("\n");
  writeFileSync(join(folder, "heights.net"), SPEC);
  writeFileSync(join(folder, "rows.csv"), table(ROWS, "a,b,y"));
  writeFileSync(join(folder, "asked.csv"), table(ASKED, "a,b"));
  netc("train", "heights.net");
  const predicted = netc("predict", "heights.net", "--weights", WEIGHTS, "asked.csv", "--json");
  expected = (JSON.parse(predicted) as { out: number[] }[]).map(({ out }) => out[0]!);
  for (const variant of VARIANTS) {
    mkdirSync(join(folder, variant));
    const flags = [
      ...(variant.includes("alone") ? ["--standalone"] : []),
      ...(variant.includes("predict-only") ? ["--predict-only"] : []),
    ];
    netc("compile", "heights.net", "-o", join(folder, variant), ...flags);
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const WEIGHTS = "runs/heights/weights.safetensors";

function expectAnswer({ refused, early, later }: Answer): void {
  expect(refused).toMatch(/by which means and deviations the columns of `x`|no weights yet/);
  for (const found of [early, later]) {
    found.forEach((value, row) => expect(value).toBeCloseTo(expected[row]!, 4));
    expect(found).toHaveLength(3);
  }
}

describe("in Node", () => {
  const opened = async (variant: string) => {
    const { createHeights } = (await import(
      pathToFileURL(join(folder, variant, "heights.js")).href
    )) as { createHeights: (options: object) => Promise<Opened> };
    return createHeights({ batch: 64 });
  };

  test.each(["plain", "predict-only"])(
    "a module takes the table's numbers: %s",
    async (variant) => {
      const net = await opened(variant);
      try {
        // eslint-disable-next-line @typescript-eslint/no-implied-eval -- as in the page
        const ask = new Function(`return ${ASK}`)() as Ask;
        expectAnswer(await ask(net, readFileSync(join(folder, WEIGHTS)), ASKED));
      } finally {
        net.destroy();
      }
    },
  );

  test("evaluates and trains on them, and saves by what", async () => {
    const net = await opened("plain");
    const again = await opened("plain");
    try {
      await net.load(readFileSync(join(folder, WEIGHTS)));
      const x = Float32Array.from(ROWS.flatMap(([a, b]) => [a!, b!]));
      const y = Float32Array.from(ROWS.map(([, , each]) => each!));
      const { error } = await net.evaluate(x, y);
      expect(error).toBeLessThan(0.3);
      expect((await net.step(x, y))["error"]).toBeCloseTo(error!, 5);
      await again.load(await net.save());
      expect(again.scales).toEqual(net.scales);
      expect([...(await again.predict(x))]).toEqual([...(await net.predict(x))]);
      expect(() => net.standardizeBy({ x: { mean: [0], std: [1] } })).toThrow(/2 means/);
      net.standardizeBy({ x: { mean: [0, 0], std: [1, 1] } });
      const { mean, std } = again.scales!["x"]!;
      const own = x.map((value, at) => (value - mean[at % 2]!) / std[at % 2]!);
      expect([...(await net.predict(own))]).toEqual([...(await again.predict(x))]);
    } finally {
      net.destroy();
      again.destroy();
    }
  });
});

interface Opened {
  readonly scales: Readonly<Record<string, { mean: number[]; std: number[] }>> | undefined;
  load(weights: Uint8Array): Promise<unknown>;
  save(): Promise<Uint8Array>;
  predict(x: Float32Array): Promise<Float32Array>;
  evaluate(x: Float32Array, y: Float32Array): Promise<Record<string, number>>;
  step(x: Float32Array, y: Float32Array): Promise<Record<string, number>>;
  standardizeBy(scales: object): void;
  destroy(): void;
}

/** The same as `netc train`, by `fit` on its table or on batches of numbers as they are there. */
describe("fit of a module", () => {
  const weightsOf = async (given: "table" | "numbers") => {
    const heights = (await import(
      pathToFileURL(join(folder, "plain", "heights.js")).href
    )) as HeightsModule;
    const { recipe } = heights;
    const net = await heights.createHeights({ batch: recipe.batch, seed: recipe.seed });
    const shape = { channels: 2, height: 1, width: 1 };
    const { train } = await openData(recipe.data!, { shape, base: folder });
    const scale = train!.table!.scale!;
    try {
      if (given === "numbers") net.standardizeBy(scale);
      const batches = (epoch: number) => rawBatches(train!, recipe, epoch);
      await fit(net as never, given === "table" ? train! : batches, recipe, {
        stepsPerEpoch: given === "table" ? undefined : ROWS.length / recipe.batch,
      });
      expect(net.scales).toEqual(scale);
      return parseTensors(await net.save());
    } finally {
      net.destroy();
    }
  };

  test.each(["table", "numbers"] as const)("standardizes once: %s", async (given) => {
    const trained = parseTensors(readFileSync(join(folder, WEIGHTS)));
    const own = await weightsOf(given);
    for (const [name, { values }] of trained.tensors) {
      const difference = own.tensors.get(name)!.values.map((each, at) => each - values[at]!);
      // Numbers that are standardized on the way are those of the table but for rounding.
      expect(Math.max(...difference.map(Math.abs))).toBeLessThan(given === "table" ? 1e-9 : 1e-3);
    }
  });

  /** Batches in the order of `fit`, as numbers of the table. */
  async function* rawBatches(dataset: Dataset, recipe: TrainRecipe, epoch: number) {
    const shape = { channels: 2, height: 1, width: 1 };
    const { batch, seed } = recipe;
    const options = { batch, seed, epoch, shape, transforms: [], shuffle: true };
    const { mean, std } = dataset.table!.scale!["x"]!;
    for await (const { images, targets } of loadBatches(dataset, options)) {
      const raw = (images as Float32Array).map((x, at) => x * std[at % 2]! + mean[at % 2]!);
      yield { images: raw, targets: targets };
    }
  }
});

interface HeightsModule {
  readonly recipe: TrainRecipe;
  createHeights(options: object): Promise<Opened>;
}

describe.skipIf(!chromiumPath)("in Chromium", () => {
  let server: Server;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    server = await serve({ dist: join(root, "dist"), modules: folder });
    browser = await launchChromium();
    page = await browser.newPage();
    await page.goto(`${addressOf(server)}/`);
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  const asked = (variant: string, create: string) =>
    page.evaluate(`(async () => {
      const heights = await import("/modules/${variant}/heights.js");
      const { inWorker } = await import("/dist/runtime/worker/index.js");
      const weights = await (await fetch("/modules/${WEIGHTS}")).arrayBuffer();
      const net = await ${create};
      const answer = await (${ASK})(net, new Uint8Array(weights), ${JSON.stringify(ASKED)});
      net.destroy();
      return answer;
    })()`);

  test.each([
    ["plain", "heights.createHeights({ batch: 4 })"],
    ["plain", "inWorker(heights, { batch: 4 })"],
    ["alone", "heights.createHeights({ batch: 4 })"],
    ["alone-predict-only", "heights.createHeights({ batch: 4 })"],
  ])("a module takes the table's numbers: %s, %s", async (variant, create) => {
    expectAnswer((await asked(variant, create)) as Answer);
  });
});
