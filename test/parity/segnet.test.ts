/** A network that undoes its pools, as SegNet does, next to PyTorch's. */
import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { createNetwork } from "../../runtime/index.js";
import { relativeError, type Summary } from "../oracle/sketch.js";
import { labelValues, parameterValues, uniformValues } from "../oracle/values.js";
import { readExpected } from "./harness.js";

const SEGNET = `
model SegNet(classes: int = 5) {
  input  image: f32[N, 3, 16, 12]
  target mask: u32[N, 16, 12] in 0..classes

  conv(6, kernel=3, padding=1) as down1 -> relu -> maxpool(2) as pool1
  conv(10, kernel=3, padding=1) as down2 -> relu -> maxpool(2) as pool2
  max_unpool(pool2) -> conv(6, kernel=3, padding=1) as up2 -> relu
  max_unpool(pool1) -> conv(classes, kernel=3, padding=1) as up1

  loss cross_entropy(up1, mask)
}
`;

interface Expected {
  readonly logits: Summary;
  readonly loss: number;
  readonly weights: Readonly<Record<string, Summary>>;
}

const expected = readExpected<Expected>("segnet");

/** As it is, and in slices. */
test.each([
  { way: "whole", options: {} },
  { way: "slices", options: { accumulate: 2 } },
])("SegNet in PyTorch: $way", async ({ options }) => {
  const { programs, diagnostics } = compile(SEGNET, { file: "segnet.net" });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const network = await createNetwork(programs, {
    batch: 2,
    learningRate: 0.5,
    momentum: 0,
    ...options,
  });
  try {
    for (const { name, shape } of network.parameters)
      await network.write(name, parameterValues(`segnet/${name}`, shape));
    const images = uniformValues("segnet/images", 2 * 3 * 16 * 12, 1);
    const logits = await network.predict(images);
    expect(relativeError(logits, expected.logits)).toBeLessThan(1e-5);
    const { loss } = await network.step(images, labelValues("segnet/labels", 2 * 16 * 12, 5));
    expect(loss).toBeCloseTo(expected.loss, 5);
    for (const [name, weights] of Object.entries(expected.weights)) {
      expect(relativeError(await network.read(name), weights), name).toBeLessThan(1e-5);
    }
  } finally {
    network.destroy();
  }
});
