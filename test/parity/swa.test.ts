/** Stochastic weight averaging with batch normalization, as AveragedModel and update_bn have it. */
import { afterEach, expect, test } from "vitest";
import { analyze, compile } from "../../compiler/index.js";
import { createNetwork, fit, parseTensors, type Network } from "../../runtime/index.js";
import { relativeError, type Summary } from "../oracle/sketch.js";
import { labelValues, parameterValues, uniformValues } from "../oracle/values.js";
import { readExpected } from "./harness.js";

const SPEC = `
model Remeasured {
  input  image: f32[N, 3, 6, 4]
  target label: u32[N] in 0..4
  share again {
    conv(5, kernel=3, padding=1, bias=false) as conv2 -> batchnorm(momentum=0.3) as bn2 -> tanh
  }
  conv(5, kernel=3, padding=1, bias=false) as conv1 -> batchnorm as bn1 -> tanh
  again -> again -> avgpool(2) -> flatten
  linear(7, bias=false) as fc1 -> batchnorm as bn3 -> tanh
  linear(4) as logits
  loss cross_entropy(logits, label)
}
train Run of Remeasured {
  epochs = 3
  batch = 6
  optimizer = sgd(lr=0.05, momentum=0.9)
  average = swa(start=4 steps, every=2 steps)
}
`;

/** The last batch is smaller, and counts as much as the others. */
const COUNTS = [6, 6, 3];
const BATCHES = COUNTS.map((count, index) => ({
  images: uniformValues(`swa/${index}`, count * 3 * 6 * 4, 1),
  targets: labelValues(`swa/labels${index}`, count, 4),
}));

/** Of each tensor's norm, after nine steps in 32 bits: 1.2e-5 on the embedded adapter. */
const TOLERANCE = 2e-5;

const networks: Network[] = [];
afterEach(() => networks.splice(0).forEach((network) => network.destroy()));

async function open(): Promise<Network> {
  const { programs, diagnostics } = compile(SPEC, { file: "swa.net" });
  expect(diagnostics).toEqual([]);
  const network = await createNetwork(programs, { batch: 6 });
  networks.push(network);
  for (const { name, shape } of network.parameters) {
    await network.write(name, parameterValues(`swa/${name}`, shape));
  }
  return network;
}

test("weights, statistics and logits of the mean are PyTorch's", async () => {
  const expected = readExpected<{
    readonly state: Readonly<Record<string, Summary>>;
    readonly logits: Summary;
  }>("swa");
  const network = await open();
  await fit(network, BATCHES, analyze(SPEC, "swa.net").selected!.recipe!);
  const { tensors } = parseTensors(await network.save());
  expect([...tensors.keys()].sort()).toEqual(Object.keys(expected.state).sort());
  for (const [name, wanted] of Object.entries(expected.state)) {
    expect(relativeError(tensors.get(name)!.values, wanted), name).toBeLessThan(TOLERANCE);
  }
  const logits = await network.predict(BATCHES[0]!.images);
  expect(relativeError(logits, expected.logits)).toBeLessThan(TOLERANCE);
});
