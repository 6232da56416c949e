import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { createNetwork, type Network } from "../../runtime/index.js";
import { parseTensors, serializeTensors } from "../../runtime/safetensors.js";
import { labelValues, uniformValues } from "../oracle/values.js";

const SHAPE = "f32[N, 3, 6, 5]";
const PIXELS = 3 * 6 * 5;

const specOf = (layers: string, shape = SHAPE) => `
model Normalized {
  input  image: ${shape}
  target label: u32[N] in 0..4
  ${layers}
  linear(4) as logits
  loss cross_entropy(logits, label)
}
`;

const CONVOLUTION = "conv(6, kernel=3, padding=1) -> batchnorm as bn -> relu -> flatten";

async function open(spec: string, batch = 4): Promise<Network> {
  const { programs, diagnostics } = compile(spec, { file: "normalized.net" });
  expect(diagnostics).toEqual([]);
  return createNetwork(programs, { batch, seed: 3, learningRate: 0.05 });
}

const imagesOf = (step: number, count = 4) => uniformValues(`bn/${step}`, count * PIXELS, 1);
const labelsOf = (step: number, count = 4) => labelValues(`bn/${step}`, count, 4);

test(
  "running statistics start at 0 and 1, move in steps alone, " +
    "and are read and written like weights",
  async () => {
    const network = await open(specOf(CONVOLUTION));
    try {
      const read = async () => [
        await network.read("bn.running_mean"),
        await network.read("bn.running_var"),
      ];
      expect(await read()).toEqual([new Float32Array(6), new Float32Array(6).fill(1)]);
      const statistics = network.parameters.filter(({ role }) => role === "statistic");
      expect(statistics.map(({ name }) => name)).toEqual(["bn.running_mean", "bn.running_var"]);

      await network.step(imagesOf(0), labelsOf(0));
      const moved = await read();
      expect(moved[0]!.every((value) => value !== 0)).toBe(true);
      expect(moved[1]!.every((value) => value !== 1)).toBe(true);
      await network.evaluate(imagesOf(1), labelsOf(1));
      await network.predict(imagesOf(1));
      expect(await read()).toEqual(moved);

      const before = await network.predict(imagesOf(1));
      await network.write("bn.running_var", Float32Array.of(1, 2, 3, 4, 5, 6));
      expect([...(await network.read("bn.running_var"))]).toEqual([1, 2, 3, 4, 5, 6]);
      expect(await network.predict(imagesOf(1))).not.toEqual(before);
    } finally {
      network.destroy();
    }
  },
);

test("a saved network continues bit for bit, running statistics included", async () => {
  const first = await open(specOf(CONVOLUTION));
  const resumed = await open(specOf(CONVOLUTION));
  try {
    for (let step = 0; step < 3; step++) await first.step(imagesOf(step), labelsOf(step));
    await resumed.load(await first.save({ optimizer: true }));
    for (const network of [first, resumed]) {
      // The last batch is a partial one.
      for (const [step, count] of [
        [3, 4],
        [4, 4],
        [5, 3],
      ] as const) {
        await network.step(imagesOf(step, count), labelsOf(step, count));
      }
    }
    const saved = await Promise.all(
      [first, resumed].map((network) => network.save({ optimizer: true })),
    );
    expect(Buffer.compare(saved[0]!, saved[1]!)).toBe(0);
  } finally {
    first.destroy();
    resumed.destroy();
  }
});

test("what predictions read of the parameters follows them, however these change", async () => {
  const layers = `conv(6, kernel=3, padding=1, bias=false) as first -> batchnorm as bn -> relu
    conv(6, kernel=3, groups=6, padding=1, bias=false) -> batchnorm -> relu
    conv(8, kernel=3, groups=2, bias=false) -> batchnorm -> relu
    flatten -> linear(7, bias=false) -> batchnorm`;
  const network = await open(specOf(layers));
  const fresh = () => open(specOf(layers));
  const changes: ((network: Network) => Promise<unknown>)[] = [
    (changed) => changed.step(imagesOf(0), labelsOf(0)),
    async (changed) => {
      const values = await changed.read("first.weight");
      await changed.write(
        "first.weight",
        values.map((value) => 2 * value + 1),
      );
    },
    async (changed) => {
      const other = await fresh();
      await other.step(imagesOf(5), labelsOf(5));
      await changed.load(await other.save());
      other.destroy();
    },
  ];
  try {
    const { fold, predict, evaluate } = network.program.steps;
    expect(fold.map(({ label }) => label)).toContain("bn in first.weight");
    const made = new Set(fold.map(({ label }) => label));
    expect([...predict, ...evaluate].filter(({ label }) => made.has(label))).toEqual([]);
    let before = await network.predict(imagesOf(1));
    for (const change of changes) {
      await change(network);
      const [after, again] = [await network.predict(imagesOf(1)), await fresh()];
      expect(after).not.toEqual(before);
      await again.load(await network.save());
      expect(after).toEqual(await again.predict(imagesOf(1)));
      expect(await network.evaluate(imagesOf(2), labelsOf(2))).toEqual(
        await again.evaluate(imagesOf(2), labelsOf(2)),
      );
      again.destroy();
      before = after;
    }
  } finally {
    network.destroy();
  }
});

test("PyTorch's weights load, with its counters of batches; other names are refused", async () => {
  const network = await open(specOf(CONVOLUTION));
  try {
    const { tensors } = parseTensors(await network.save());
    const count = { shape: [], values: Float32Array.of(7) };
    const withTensor = (name: string) =>
      serializeTensors([...tensors.values(), { name, ...count }]);
    await network.load(withTensor("bn.num_batches_tracked"));
    await expect(network.load(withTensor("conv1.num_batches_tracked"))).rejects.toThrow(
      "`conv1.num_batches_tracked` is not in model",
    );
  } finally {
    network.destroy();
  }
});

test("the statistics of a partial batch are those of its examples alone", async () => {
  const [wide, narrow] = [await open(specOf(CONVOLUTION), 7), await open(specOf(CONVOLUTION), 3)];
  try {
    // What the wide network saw before is still in its memory.
    await wide.evaluate(imagesOf(0, 7), labelsOf(0, 7));
    for (const network of [wide, narrow]) await network.step(imagesOf(1, 3), labelsOf(1, 3));
    for (const name of ["bn.running_mean", "bn.running_var", "bn.weight"]) {
      expect(await wide.read(name)).toEqual(await narrow.read(name));
    }
  } finally {
    wide.destroy();
    narrow.destroy();
  }
});

test("one example of features gives the bias, and leaves the running variance", async () => {
  const network = await open(specOf("batchnorm as bn", "f32[N, 5]"));
  try {
    const example = Float32Array.of(1, -2, 3, 0, 5);
    await network.write("bn.running_var", Float32Array.of(1, 2, 3, 4, 5));
    const { loss } = await network.step(example, Uint32Array.of(1));
    expect(Number.isFinite(loss)).toBe(true);
    expect([...(await network.read("bn.running_var"))]).toEqual([1, 2, 3, 4, 5]);
    const mean = await network.read("bn.running_mean");
    example.forEach((value, index) => expect(mean[index]).toBeCloseTo(value / 10, 6));
    expect((await network.read("bn.weight")).every((value) => value === 1)).toBe(true);
  } finally {
    network.destroy();
  }
});

test(
  "convolutions and poolings leave what batch normalization reduces: " +
    "no kernel reads their results for that",
  () => {
    const layers = `conv(6, kernel=3, padding=1, bias=false) -> batchnorm -> relu
    conv(6, kernel=3, padding=1) -> batchnorm -> relu -> maxpool(2) -> flatten`;
    const { programs } = compile(specOf(layers), { file: "normalized.net" });
    for (const { steps } of programs) {
      const labels = steps.train.map(({ label }) => label);
      expect(
        labels.filter((label) => /statistics|weight and bias gradient/.test(label)),
      ).toHaveLength(4);
      expect(labels.filter((label) => label.endsWith("of parts"))).toEqual([]);
    }
  },
);

test.each([
  { rows: 6, columns: 5, before: "", how: "by themselves" },
  {
    rows: 8,
    columns: 9,
    before: "conv(3, kernel=1, bias=false) as same ->",
    how: "by a convolution",
  },
])("the variance of values far from zero keeps its digits, taken $how", async (how) => {
  const { rows, columns, before } = how;
  const pixels = rows * columns;
  const shape = `f32[N, 3, ${rows}, ${columns}]`;
  const layers = `${before} batchnorm(momentum=1) as bn -> flatten`;
  const network = await open(specOf(layers, shape), 8);
  try {
    if (before) await network.write("same.weight", Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1));
    // Steps of 1/16 around 4096, which f32 holds exactly; E[x^2] - E[x]^2 would lose
    // their variance.
    const noise = uniformValues("bn/far", 8 * 3 * pixels, 16).map((value) => Math.round(value));
    const images = noise.map((value) => 4096 + value / 16);
    await network.step(images, labelsOf(0, 8));
    const means = await network.read("bn.running_mean");
    const variances = await network.read("bn.running_var");
    for (let channel = 0; channel < 3; channel++) {
      const values = [...images].filter((_, index) => Math.floor(index / pixels) % 3 === channel);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
      expect(Math.abs(means[channel]! - mean)).toBeLessThan(5e-4); // one unit of the last place
      expect(variances[channel]! / (squares / (values.length - 1))).toBeCloseTo(1, 5);
    }
  } finally {
    network.destroy();
  }
});

test("frozen statistics stay as they are, and training normalizes by them", async () => {
  const recipe = `train Run of Normalized {
    epochs = 1
    batch = 4
    optimizer = sgd(lr=0.05)
    freeze_statistics = [bn]
  }`;
  const network = await open(specOf(CONVOLUTION) + recipe);
  try {
    await network.write("bn.running_mean", Float32Array.of(0.1, -0.2, 0.3, 0, 0.1, 0.2));
    await network.write("bn.running_var", Float32Array.of(1, 2, 3, 0.5, 1.5, 0.7));
    const read = () =>
      Promise.all(
        ["running_mean", "running_var", "weight"].map((name) => network.read(`bn.${name}`)),
      );
    const before = await read();
    const { loss } = await network.evaluate(imagesOf(0), labelsOf(0));
    const step = await network.step(imagesOf(0), labelsOf(0));
    expect(Math.abs(step.loss! - loss!)).toBeLessThan(1e-5);
    const after = await read();
    expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
    expect(after[2]).not.toEqual(before[2]);
    const moved = await network.evaluate(imagesOf(0), labelsOf(0));
    expect(moved.loss!).toBeLessThan(loss!);
  } finally {
    network.destroy();
  }
});

test("averages of frozen statistics are these, to the bit", async () => {
  const recipe = `train Run of Normalized {
    epochs = 1
    batch = 4
    optimizer = sgd(lr=0.05)
    freeze_statistics = [bn]
    average = ema(0.7)
  }`;
  const network = await open(specOf(CONVOLUTION) + recipe);
  try {
    const names = ["bn.running_mean", "bn.running_var"];
    for (const name of names)
      await network.write(
        name,
        uniformValues(name, 6, 0.5).map((x) => x + 1),
      );
    const before = await Promise.all(names.map((name) => network.read(name)));
    for (let step = 0; step < 5; step++) await network.step(imagesOf(step), labelsOf(step));
    const { tensors } = parseTensors(await network.save());
    expect(names.map((name) => tensors.get(name)!.values)).toEqual(before);
  } finally {
    network.destroy();
  }
});
