/** A class for each pixel: loss, gradients and metrics are PyTorch's, however a step is divided. */
import { describe, expect, test } from "vitest";
import { analyze, compile } from "../../compiler/index.js";
import { createNetwork } from "../../runtime/index.js";
import { MetricsMean } from "../../runtime/training/mean.js";
import { sampled } from "../adapters.js";
import { relativeError, type Summary } from "../oracle/sketch.js";
import { labelValues, parameterValues, uniformValues } from "../oracle/values.js";
import { readExpected } from "../parity/harness.js";
import { gradientError } from "../passes/gradients.js";

interface Expected {
  readonly loss: string;
  /** Before each step. */
  readonly losses: readonly number[];
  /** After all steps. */
  readonly evaluation: number;
  readonly miou: number;
  readonly accuracy: number;
  readonly weights: Readonly<Record<string, Summary>>;
}

const [EXAMPLES, CLASSES, HEIGHT, WIDTH] = [7, 5, 6, 9];
const PIXELS = HEIGHT * WIDTH;
const IGNORED = 255;

const images = uniformValues("masks/images", EXAMPLES * 2 * PIXELS, 1);
/** Of the fourth image, no pixel counts. */
const labels = labelValues("masks/labels", EXAMPLES * PIXELS, CLASSES + 1).map((label, index) =>
  label === CLASSES || Math.floor(index / PIXELS) === 3 ? IGNORED : label,
);

const specOf = (loss: string) => `
  model M {
    input image: f32[N, 2, ${HEIGHT}, ${WIDTH}]
    target mask: u32[N, ${HEIGHT}, ${WIDTH}] in 0..${CLASSES}
    conv(4, kernel=3, padding=1) as first -> tanh -> conv(${CLASSES}, kernel=1) as out
    loss ${loss}
    metric miou = miou(out, mask)
    metric pixels = pixel_accuracy(out, mask)
  }
  train Run of M {
    epochs = 1
    batch = ${EXAMPLES}
    optimizer = sgd(lr=0.5, momentum=0.9)
  }`;

async function opened(loss: string, options: { readonly accumulate?: number } = {}) {
  const { programs, diagnostics } = compile(specOf(loss), { file: "m.net" });
  expect(diagnostics).toEqual([]);
  const network = await createNetwork(programs, { batch: EXAMPLES, ...options });
  for (const { name, shape } of network.parameters)
    await network.write(name, parameterValues(`masks/${name}`, shape));
  return network;
}

const cases = readExpected<Expected[]>("masks");

describe.each(cases)("$loss", (expected) => {
  // In one piece, in uneven slices, and an example each: one of these has no pixel that counts.
  test.each(sampled([3, 1, 7], 3))("training in %i slices is PyTorch's", async (accumulate) => {
    const network = await opened(expected.loss, { accumulate });
    try {
      for (const wanted of expected.losses) {
        const { loss } = await network.step(images, labels);
        expect(Math.abs(loss! - wanted)).toBeLessThan(2e-5 * Math.max(1, wanted));
      }
      const errors = await Promise.all(
        Object.entries(expected.weights).map(async ([name, summary]) =>
          relativeError(await network.read(name), summary),
        ),
      );
      expect(Math.max(...errors)).toBeLessThan(2e-5);
      // Calls of different sizes: means are over all pixels that count, and unions over all images.
      const mean = MetricsMean.from();
      for (const [first, end] of [
        [0, 4],
        [4, 7],
      ] as const) {
        const own = images.subarray(first * 2 * PIXELS, end * 2 * PIXELS);
        mean.add(await network.measure(own, labels.subarray(first * PIXELS, end * PIXELS)));
      }
      const metrics = MetricsMean.from(JSON.parse(JSON.stringify(mean.state)) as never).values();
      expect(metrics["loss"]).toBeCloseTo(expected.evaluation, 5);
      expect(metrics["miou"]).toBeCloseTo(expected.miou, 6);
      expect(metrics["pixels"]).toBeCloseTo(expected.accuracy, 6);
    } finally {
      network.destroy();
    }
  });

  test("gradients are those of finite differences", () => {
    const { graph } = analyze(specOf(expected.loss), "m.net").selected!.model;
    const parameters = new Map(
      graph!.parameters.map(({ value }) => {
        const values = parameterValues(`masks/${value.name}`, value.shape.map(Number));
        return [value.name, Float64Array.from(values)] as const;
      }),
    );
    const optimizer = { kind: "sgd", learningRate: 0.1, momentum: 0, weightDecay: 0 } as const;
    const context = { seed: 1, step: 0, training: true, optimizer } as never;
    const inputs = { images: Float64Array.from(images), labels, parameters, context };
    expect(gradientError(graph!, inputs)).toBeLessThan(1e-8);
  });
});

const IGNORING = `cross_entropy(out, mask, ignore=${IGNORED})`;

test("a step without a pixel that counts changes nothing and has the loss 0", async () => {
  const network = await opened(IGNORING);
  try {
    const before = await network.read("first.weight");
    const { loss, miou } = await network.step(
      images,
      labels.map(() => IGNORED),
    );
    expect([loss, miou]).toEqual([0, 0]);
    expect(await network.read("first.weight")).toEqual(before);
  } finally {
    network.destroy();
  }
});

/** As in torchmetrics' JaccardIndex, a class that is ignored is in no mean. */
test("a class that is ignored has no overlap, also where it is predicted", async () => {
  const ignored = 2;
  const network = await opened(`cross_entropy(out, mask, ignore=${ignored})`);
  try {
    await network.write("out.bias", Float32Array.of(0, 0, 2, 0, 0));
    const own = labels.map((label) => (label === IGNORED ? ignored : label));
    const logits = await network.predict(images);
    const predicted = own.map((_, index) => {
      const [image, pixel] = [Math.floor(index / PIXELS), index % PIXELS];
      const row = Array.from(
        { length: CLASSES },
        (_, label) => logits[(image * CLASSES + label) * PIXELS + pixel]!,
      );
      return row.indexOf(Math.max(...row));
    });
    const counted = [...own.keys()].filter((index) => own[index] !== ignored);
    expect(counted.filter((index) => predicted[index] === ignored).length).toBeGreaterThan(10);
    const overlaps = [0, 1, 3, 4].map((label) => {
      const [is, told] = [own, predicted].map((all) => (index: number) => all[index] === label);
      const both = counted.filter((index) => is!(index) && told!(index)).length;
      return both / counted.filter((index) => is!(index) || told!(index)).length;
    });
    const { miou, pixels } = await network.evaluate(images, own);
    expect(miou).toBeCloseTo(overlaps.reduce((sum, each) => sum + each) / 4, 6);
    const hits = counted.filter((index) => own[index] === predicted[index]);
    expect(pixels).toBeCloseTo(hits.length / counted.length, 6);
  } finally {
    network.destroy();
  }
});

test("logits that are not finite make the loss NaN, and their pixels wrong", async () => {
  const network = await opened(IGNORING);
  try {
    await network.write("first.bias", new Float32Array(4).fill(20));
    await network.write("out.weight", new Float32Array(4 * CLASSES).fill(3e38));
    const measured = await network.measure(images, labels);
    expect(measured.sums[0]!.sum).toBeNaN();
    // The image without a pixel that counts has a loss of 0.
    expect(measured.notFinite).toBe(EXAMPLES - 1);
    const { miou, pixels } = await network.evaluate(images, labels);
    expect([miou, pixels]).toEqual([0, 0]);
  } finally {
    network.destroy();
  }
});

test("labels outside of the classes are refused by their place", async () => {
  const network = await opened("cross_entropy(out, mask)");
  try {
    await expect(network.step(images, labels)).rejects.toThrow(/label \d+ is 255: .* 0 to 4/);
    const wrong = network.step(images, labels.subarray(1));
    await expect(wrong).rejects.toThrow("expected 378 labels for 7 examples, got 377");
    const classified = network.classify(images.subarray(0, 2 * PIXELS));
    await expect(classified).rejects.toThrow("has scores of classes for each pixel");
  } finally {
    network.destroy();
  }
});
