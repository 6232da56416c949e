/** The loss of boxes is PyTorch's, however a step is divided, and with what runs around it. */
import { describe, expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { createNetwork, type Network } from "../../runtime/index.js";
import { adapterWithHalves } from "../adapters.js";
import { relativeError, type Summary } from "../oracle/sketch.js";
import { labelValues, parameterValues, uniformValues } from "../oracle/values.js";
import { readExpected } from "../parity/harness.js";

interface Expected {
  readonly loss: string;
  /** Before each step. */
  readonly losses: readonly number[];
  /** After all steps. */
  readonly evaluation: number;
  readonly weights: Readonly<Record<string, Summary>>;
}

const [EXAMPLES, CLASSES, MOST, HEIGHT, WIDTH] = [7, 3, 5, 4, 6];

const images = uniformValues("masks/images", EXAMPLES * 2 * HEIGHT * WIDTH, 1);
/** The fourth image has no box. */
const labels = labelValues("boxes/labels", EXAMPLES * MOST, CLASSES + 1);
const shares = uniformValues("boxes/shares", EXAMPLES * MOST * 4, 1).map(Math.abs);
const boxes = Float32Array.from({ length: EXAMPLES * MOST * 5 }, (_, at) => {
  const [box, part] = [Math.floor(at / 5), at % 5];
  if (part > 0) return shares[box * 4 + part - 1]!;
  return Math.floor(box / MOST) === 3 ? -1 : labels[box]! - 1;
});

const specOf = (loss: string, settings: string) => `
  model M {
    input image: f32[N, 2, ${HEIGHT}, ${WIDTH}]
    target boxes: boxes[N, ${MOST}] in 0..${CLASSES}
    conv(4, kernel=3, padding=1) as first -> tanh -> conv(${5 + CLASSES}, kernel=1) as out
    loss ${loss}
  }
  train Run of M {
    epochs = 1
    batch = ${EXAMPLES}
    optimizer = sgd(lr=0.05, momentum=0.9)
    ${settings}
  }`;

type Options = Omit<Parameters<typeof createNetwork>[1], "batch">;

async function opened(loss: string, settings = "", options: Options = {}): Promise<Network> {
  const { programs, diagnostics } = compile(specOf(loss, settings), { file: "m.net" });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const network = await createNetwork(programs, { batch: EXAMPLES, ...options });
  for (const { name, shape } of network.parameters)
    await network.write(name, parameterValues(`masks/${name}`, shape));
  return network;
}

const step = async (network: Network) => (await network.step(images, boxes as never)).loss!;
const evaluate = async (network: Network) => (await network.evaluate(images, boxes as never)).loss!;

const cases = readExpected<Expected[]>("boxes");

describe.each(cases)("$loss", (expected) => {
  // In one piece, in uneven slices, and an example each: one of these has no box.
  test.each([1, 3, 7])("training in %i slices is PyTorch's", async (accumulate) => {
    const network = await opened(expected.loss, "", { accumulate });
    try {
      for (const wanted of expected.losses) {
        expect(Math.abs((await step(network)) - wanted)).toBeLessThan(2e-5 * wanted);
      }
      const errors = await Promise.all(
        Object.entries(expected.weights).map(async ([name, summary]) =>
          relativeError(await network.read(name), summary),
        ),
      );
      expect(Math.max(...errors)).toBeLessThan(2e-5);
      const after = await evaluate(network);
      expect(Math.abs(after - expected.evaluation)).toBeLessThan(2e-5 * after);
    } finally {
      network.destroy();
    }
  });
});

test("averaged weights and a resumed run take the same steps", async () => {
  const settings = "average = ema(0.8)";
  const one = await opened("yolo(out, boxes)", settings);
  const other = await opened("yolo(out, boxes)", settings);
  try {
    for (let at = 0; at < 2; at++) await step(one);
    await other.load(await one.save({ optimizer: true }));
    for (let at = 0; at < 2; at++) expect(await step(other)).toBe(await step(one));
    expect(await evaluate(other)).toBe(await evaluate(one));
    // What is evaluated are the averages, which have come less far than the weights.
    expect(await evaluate(one)).toBeGreaterThan(await step(one));
  } finally {
    one.destroy();
    other.destroy();
  }
});

test.runIf(await adapterWithHalves())("in 16 bits it is near", async () => {
  const { adapter } = (await adapterWithHalves())!;
  const device = await adapter.requestDevice({ requiredFeatures: ["subgroups", "shader-f16"] });
  const [expected] = cases as [Expected];
  const network = await opened(expected.loss, "precision = f16", { device });
  try {
    expect(network.program.precision).toBe("f16");
    // Eleven bits a number, in sums over some hundred of them.
    for (const wanted of expected.losses) {
      expect(Math.abs((await step(network)) - wanted)).toBeLessThan(2e-3 * wanted);
    }
  } finally {
    network.destroy();
  }
});
