/** Runs that meet a lost device, and runs whose numbers are not finite. */
import { afterAll, describe, expect, test } from "vitest";
import { analyze, compile } from "../../compiler/index.js";
import {
  createNetwork,
  DivergedError,
  fit,
  type Dataset,
  type FitOptions,
  type Network,
  type NetworkOptions,
  type TrainRecipe,
  type TrainingState,
} from "../../runtime/index.js";
import type { Device } from "../../runtime/device.js";
import { runsAllVariants, sampled } from "../adapters.js";
import { openSeparateDevices } from "../shared-devices.js";

const adapter = process.env["NETC_ADAPTER"] ?? "embedded";
const networks: Network[] = [];
afterAll(() => networks.forEach((network) => network.destroy()));

const spec = (settings: string) => `model Small {
  input  image: f32[N, 1, 8, 8]
  target label: u32[N] in 0..2
  conv(4, kernel=3, padding=1) as stem -> relu -> maxpool(2)
  flatten -> dropout(0.3) -> linear(8) as hidden -> relu
  linear(2) as logits
  loss cross_entropy(logits, label)
}
data Some for Small {
  train folder("nowhere") {
    random_crop(8, padding=1) -> hflip(0.5) -> normalize(mean=[0.5], std=[0.5])
  }
}
train Base of Small on Some {
  epochs = 3
  batch = 4
  ${settings}
  seed = 4
}`;

/** Bright above or below, with noise. */
const dataset: Dataset = {
  name: "halves",
  classes: ["above", "below"],
  length: 18,
  pixels: "bytes",
  get: (index) => {
    const pixels = Uint8Array.from(
      { length: 64 },
      (_, at) => (at < 32 === (index % 2 === 0) ? 180 : 30) + ((at * 31 + index * 17) % 40),
    );
    const image = { width: 8, height: 8, channels: 1, pixels, maximum: 255 };
    return Promise.resolve({ image, label: index % 2 });
  },
};

async function open(
  settings: string,
  options: NetworkOptions = {},
): Promise<{ network: Network; recipe: TrainRecipe }> {
  const source = spec(settings);
  const { programs, diagnostics } = compile(source, { file: "small.net" });
  expect(diagnostics).toEqual([]);
  const { recipe } = analyze(source, "small.net").selected!;
  const network = await createNetwork(programs, { adapter, batch: 4, seed: 4, ...options });
  networks.push(network);
  return { network, recipe: recipe! };
}

const ADAM = "optimizer = adam(lr=0.01)";

async function train(network: Network, recipe: TrainRecipe, options: FitOptions = {}) {
  const losses: number[] = [];
  const result = await fit(network, dataset, recipe, {
    ...options,
    onStep: (report) => {
      losses[report.step - 1] = report.metrics["loss"]!;
      options.onStep?.(report);
    },
  });
  return { result, losses, bytes: await network.save({ optimizer: true }) };
}

/** As a driver does that is reset. */
function loseDevice(network: Network): void {
  (network as unknown as { device: Device }).device.gpu.destroy();
}

describe("a device that is lost", () => {
  openSeparateDevices();

  test("a run whose device is lost continues with another, to the same bits", async () => {
    const { network, recipe } = await open(ADAM);
    const whole = await train(network, recipe);
    for (const lostAfter of sampled([12, 1], 2)) {
      const other = (await open(ADAM)).network;
      const restarts: [step: number, reason: string][] = [];
      const rescued = await train(other, recipe, {
        onStep: ({ step }) => step === lostAfter && restarts.length === 0 && loseDevice(other),
        onRestart: ({ step }, reason) => void restarts.push([step, reason]),
      });
      expect(restarts).toEqual([[expect.any(Number), expect.stringContaining("device was lost")]]);
      expect(restarts[0]![0]).toBeLessThanOrEqual(lostAfter);
      expect(rescued.result).toEqual(whole.result);
      expect(rescued.losses).toEqual(whole.losses);
      expect(Buffer.compare(rescued.bytes, whole.bytes)).toBe(0);
    }
  });

  test("a device is replaced whatever copy of the runtime says that it was lost", async () => {
    const { network, recipe } = await open(ADAM);
    const measureStep = network.measureStep.bind(network);
    // A standalone module has other classes of the same names.
    class DeviceLostError extends Error {
      override readonly name = "DeviceLostError";
      readonly isGone = true;
    }
    network.measureStep = async (...given) => {
      try {
        return await measureStep(...given);
      } catch (error) {
        throw new DeviceLostError((error as Error).message);
      }
    };
    let restarts = 0;
    await train(network, recipe, {
      onStep: ({ step }) => step === 2 && restarts === 0 && loseDevice(network),
      onRestart: () => void restarts++,
    });
    expect(restarts).toBe(1);
  });

  test("without `checkpoint`, a run continues from its last copy within an epoch", async () => {
    const { network, recipe } = await open(ADAM);
    const from: number[] = [];
    await train(network, recipe, {
      checkpointSteps: 2,
      onStep: ({ step }) => step === 3 && from.length === 0 && loseDevice(network),
      onRestart: ({ step }) => void from.push(step),
    });
    expect(from).toEqual([2]);
  });

  test.runIf(runsAllVariants)(
    "a step that loses each device ends the run, although it repeats others",
    async () => {
      const { network, recipe } = await open(ADAM);
      const from: number[] = [];
      const running = train(network, recipe, {
        checkpointSteps: 1,
        onStep: ({ step }) => step === 3 && loseDevice(network),
        onRestart: ({ step }) => void from.push(step),
      });
      await expect(running).rejects.toMatchObject({ name: "DeviceLostError" });
      expect(from).toEqual([2, 2, 2]);
    },
  );

  test("a device that is lost again and again ends the run", async () => {
    const { network, recipe } = await open(ADAM);
    let restarts = 0;
    const reopen = network.reopen.bind(network);
    network.reopen = async () => {
      await reopen();
      setTimeout(() => loseDevice(network));
      await new Promise((resolve) => setTimeout(resolve, 20));
    };
    const running = train(network, recipe, {
      onStep: ({ step }) => step === 2 && loseDevice(network),
      onRestart: () => void restarts++,
    });
    await expect(running).rejects.toMatchObject({ name: "DeviceLostError" });
    expect(restarts).toBeLessThan(4);
  });
});

test(
  "a loss that is not finite is traced to the step and the layer whose numbers were " + "the first",
  async () => {
    // Each step multiplies the weights by up to thousands, so that numbers overflow after a few.
    const { network, recipe } = await open("optimizer = sgd(lr=1e12)");
    const searched: number[] = [];
    const error = await train(network, recipe, {
      onSearch: (steps) => void searched.push(steps),
    }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DivergedError);
    const { divergence, message } = error as DivergedError;
    const { step, culprit, good } = divergence;
    expect(good).toBe(0);
    expect(searched).toEqual([step]);
    expect(culprit!.step).toBeGreaterThanOrEqual(step - 1);
    expect(culprit!.label).toMatch(/^(stem|hidden|logits|cross_entropy)/);
    expect([4, 5, 6, 7]).toContain(culprit!.location.line);
    expect(message).toContain(`\`${culprit!.label}\` in step ${culprit!.step}`);
  },
);

test("the first dispatch is the one that reads what is not finite", async () => {
  const { network, recipe } = await open("optimizer = sgd(lr=0.1)");
  // Finite weights that overflow in the second layer: 1e30 * 1e30.
  const [stem, hidden] = ["stem.weight", "hidden.weight"];
  await network.write(stem, new Float32Array(36).fill(1e30));
  await network.write(hidden, new Float32Array(8 * 64).fill(1e30));
  const error = await train(network, recipe).catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    divergence: { step: 1, good: 0, culprit: { label: "hidden forward", step: 1 } },
  });
});

test.for([
  ["whose gradients are summed", "adam(lr=0.01)"],
  ["that each update the weights", "sgd(lr=0.1, momentum=0.9)"],
])("slices %s are looked into one after the other", async ([, optimizer]) => {
  const settings = `optimizer = ${optimizer}\n  accumulate = 3`;
  const { network, recipe } = await open(settings, { accumulate: 3 });
  expect(network.slice).toBe(2);
  await network.write("stem.weight", new Float32Array(36).fill(1e30));
  await network.write("hidden.weight", new Float32Array(8 * 64).fill(1e30));
  const error = await train(network, recipe).catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    divergence: { step: 1, good: 0, culprit: { label: "hidden forward", step: 1 } },
  });
});

test("weights that are not finite are not a checkpoint", async () => {
  const { network, recipe } = await open("optimizer = sgd(lr=1e12)");
  const saved: TrainingState[] = [];
  const running = train(network, recipe, {
    checkpointSteps: 1,
    checkpoint: (state) => void saved.push(state),
  });
  const error = await running.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(DivergedError);
  // The snapshot that was found good is the last before numbers overflow.
  const { good, step } = (error as DivergedError).divergence;
  expect(good).toBe(step - 1);
});
