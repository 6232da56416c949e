import { describe, expect, test, vi } from "vitest";
import { compile } from "../../compiler/index.js";
import type { TrainRecipe } from "../../program/recipe.js";
import { analyze } from "../../compiler/semantics/index.js";
import { createNetwork, fit, type Network, type TrainingState } from "../../runtime/index.js";
import type { Device } from "../../runtime/device.js";
import { parseState, serializeState } from "../../runtime/training/state.js";
import { countingDataset } from "../data/pattern.js";
import { runsAllVariants, sampled } from "../adapters.js";
import { openSeparateDevices } from "../shared-devices.js";

/**
 * All that a run keeps in addition to its weights, at once: averages, Adam's, statistics, phases, a
 * plateau, patience, class weights.
 */
const SPEC = `
model Small {
  input  image: f32[N, 1, 3, 3]
  target label: u32[N] in 0..3
  features {
    conv(4, kernel=2) as conv -> batchnorm as bn -> relu
    tokens -> residual { attention(2) as attention -> stochastic_depth(0.2) }
  }
  flatten -> dropout(0.3) -> linear(3) as logits
  loss   cross_entropy(logits, label, class_weights=[1, 2, 0.5])
  metric top1 = accuracy(logits, label)
}
train Run of Small {
  freeze    = [features.*]
  unfreeze  = after(1 epochs, [features.bn]) -> after(5 steps, [features.*])
  average   = ema(0.8)
  stop      = early_stopping(patience=9)
  schedule  = reduce_on_plateau(patience=0, threshold=0.9, factor=0.5)
  epochs    = 3
  batch     = 4
  optimizer = adam(lr=0.05)
  seed      = 3
}`;

const { programs } = compile(SPEC, { file: "small.net" });
const recipe: TrainRecipe = analyze(SPEC, "small.net").selected!.recipe!;
const dataset = countingDataset(10, 3);
const evaluation = countingDataset(4, 3);

/** Four of them. */
const images = Float32Array.from({ length: 4 * 9 }, (_, index) => Math.sin(index));

const open = () => createNetwork(programs, { batch: 4, seed: 3 });

interface Saved {
  readonly bytes: Uint8Array;
  readonly state: string;
}

/** Trains up to the recipe's end or a step, and gives all that a checkpoint holds. */
async function train(
  network: Network,
  { from, to }: { from?: Saved; to?: number },
): Promise<Saved> {
  const abort = new AbortController();
  let start: TrainingState | undefined;
  if (from) {
    await network.load(from.bytes);
    start = parseState(from.state);
  }
  const { state } = await fit(network, dataset, recipe, {
    evaluation,
    start,
    signal: abort.signal,
    onStep: ({ step }) => step === to && abort.abort(),
  });
  return { bytes: await network.save({ optimizer: true }), state: serializeState(state) };
}

test(
  "a run stopped anywhere, phases and averages and all, " +
    "and resumed elsewhere, ends in the same bits",
  async () => {
    const network = await open();
    try {
      const whole = await train(network, {});
      expect(network.phase).toBe(2);
      expect(parseState(whole.state)).toMatchObject({ step: 9, plateau: { factor: 0.25 } });
      for (const to of sampled([3, 2, 4, 5, 8], 3)) {
        const first = await open();
        const second = await open();
        try {
          const half = await train(first, { to });
          const rest = await train(second, { from: half });
          expect(rest.state, `stopped after step ${to}`).toBe(whole.state);
          expect(rest.bytes, `stopped after step ${to}`).toEqual(whole.bytes);
          expect(await second.save()).toEqual(await network.save());
        } finally {
          first.destroy();
          second.destroy();
        }
      }
    } finally {
      network.destroy();
    }
  },
);

test(
  "a file loaded right after a phase was entered stays " +
    "in that phase, with its bytes of the call",
  async () => {
    const network = await open();
    try {
      const bytes = await network.save();
      const before = bytes.slice();
      const entered = network.enterPhase(1);
      const loaded = network.load(bytes);
      bytes.fill(0);
      await Promise.all([entered, loaded]);
      expect(network.phase).toBe(1);
      expect(await network.save()).toEqual(before);
    } finally {
      network.destroy();
    }
  },
);

test("weights that are not finite enter no other phase; the network still works", async () => {
  const network = await open();
  try {
    const { gpu } = (network as unknown as { device: Device }).device;
    const wrong = Float32Array.of(NaN, 0, 0);
    const writeBuffer = gpu.queue.writeBuffer.bind(gpu.queue);
    const { buffers, parameters } = network.program;
    const { name } =
      buffers[parameters.find((one) => one.name === "logits.bias")!.pieces[0]!.buffer]!;
    gpu.queue.writeBuffer = (buffer, ...rest) =>
      buffer.label === name ? writeBuffer(buffer, 0, wrong) : writeBuffer(buffer, ...rest);
    await network.write("logits.bias", new Float32Array(3));
    gpu.queue.writeBuffer = writeBuffer;
    await expect(network.enterPhase(1)).rejects.toThrow(/`logits.bias` is NaN at index 0/);
    await network.write("logits.bias", new Float32Array(3));
    await network.enterPhase(1);
    expect(network.phase).toBe(1);
  } finally {
    network.destroy();
  }
});

describe("separate devices", () => {
  openSeparateDevices();

  // On the embedded adapter test/runtime/recovery loses devices, in a network that opens sooner.
  test.runIf(runsAllVariants)("a device lost in a phase, with averages, is replaced", async () => {
    const network = await open();
    const lost = await open();
    try {
      const whole = await train(network, {});
      const gpu = () => (lost as unknown as { device: Device }).device.gpu;
      const phases: number[] = [];
      // The second phase begins with step 4, the third with step 6.
      const { state } = await fit(lost, dataset, recipe, {
        evaluation,
        onStep: ({ step }) => step === 5 && phases.length === 0 && gpu().destroy(),
        onRestart: () => void phases.push(lost.phase),
      });
      expect(phases).toHaveLength(1);
      expect(lost.phase).toBe(2);
      expect(serializeState(state)).toBe(whole.state);
      expect(Buffer.compare(await lost.save({ optimizer: true }), whole.bytes)).toBe(0);
    } finally {
      network.destroy();
      lost.destroy();
    }
  });
});

test("a step and the averages after it are one submit", async () => {
  const network = await open();
  try {
    await network.step(images, [0, 1, 2, 0]);
    const { queue } = (network as unknown as { device: Device }).device.gpu;
    const submit = vi.spyOn(queue, "submit");
    await network.step(images, [0, 1, 2, 0]);
    expect(submit).toHaveBeenCalledTimes(1);
    submit.mockClear();
    // Two slices, and the update with the averages.
    await network.step(images, [0, 1, 2, 0], { accumulate: 2 });
    expect(submit).toHaveBeenCalledTimes(3);
  } finally {
    network.destroy();
  }
});

test("frozen weights stay as they are to the bit until their phase", async () => {
  const network = await open();
  const step = () => network.step(images, [0, 1, 2, 0]);
  try {
    const names = ["features.conv.weight", "features.bn.weight"];
    const read = () => Promise.all(names.map((name) => network.read(name)));
    const [conv, bn] = await read();
    await step();
    expect(await read()).toEqual([conv, bn]);
    await network.enterPhase(1);
    await step();
    const after = await read();
    expect(after[0]).toEqual(conv);
    expect(after[1]).not.toEqual(bn);
    await network.enterPhase(2);
    expect(await read()).toEqual(after);
    await step();
    expect((await read())[0]).not.toEqual(conv);
    await expect(network.enterPhase(3)).rejects.toThrow("the recipe has no phase 3 of training");
  } finally {
    network.destroy();
  }
});

test(
  "averages begin with the weights, follow them, " +
    "and are what evaluations use and files of weights hold",
  async () => {
    const network = await open();
    const plain = await open();
    try {
      const name = "logits.weight";
      const values = () => network.read(name);
      const averages = () => network.read(name, { of: "average" });
      const first = await values();
      expect(await averages()).toEqual(first);
      await network.step(images, [0, 1, 2, 0]);
      const second = await values();
      const expected = first.map((value, index) => 0.8 * value + 0.2 * second[index]!);
      const kept = await averages();
      kept.forEach((value, index) => expect(value).toBeCloseTo(expected[index]!, 6));
      expect(kept).not.toEqual(second);
      // Weights alone: another network has the averages as its weights, and evaluates alike.
      await plain.load(await network.save());
      expect(await plain.read(name)).toEqual(kept);
      expect(await plain.predict(images)).toEqual(await network.predict(images));
      await network.write(name, first);
      expect(await averages()).toEqual(first);
    } finally {
      network.destroy();
      plain.destroy();
    }
  },
);
