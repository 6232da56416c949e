/** Inputs, targets and outputs of more axes than an image: rows of numbers, in PyTorch's order. */
import { afterAll, expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { createNetwork, type Network } from "../../runtime/index.js";
import { parameterValues, uniformValues } from "../oracle/values.js";

const BATCH = 3;

const opened: { destroy(): void }[] = [];
afterAll(() => opened.forEach((network) => network.destroy()));

/** The same network of numbers with their axes, and of rows that are reshaped. */
const specOf = (ports: string, before: string, after: string) => `
model Clips {
  ${ports}
  ${before}
  permute([0, 2, 1, 4, 3, 5]) -> linear(6) -> gelu as a
  let out = a - mean(a, over=[1, 3])
  ${after}
}

train Fit of Clips {
  optimizer = sgd(lr=0.1, momentum=0.9)
  batch     = ${BATCH}
  epochs    = 1
}
`;

const WITH_AXES = specOf(
  "input x: f32[N, 2, 3, 4, 2, 5]\n  target y: f32[N, 3, 2, 2, 4, 6]",
  "identity",
  "loss mse(out, y)",
);

const OF_ROWS = specOf(
  "input x: f32[N, 240]\n  target y: f32[N, 288]",
  "reshape([2, 3, 4, 2, 5])",
  "from out -> flatten as row\n  loss mse(row, y)",
);

type Plain = Network<"loss", string, Float32Array>;

async function open(spec: string): Promise<Plain> {
  const { programs, diagnostics } = compile(spec, { file: "clips.net" });
  expect(diagnostics.map(({ message }) => message)).toEqual([]);
  const network = (await createNetwork(programs, { batch: BATCH })) as unknown as Plain;
  opened.push(network);
  for (const { name, shape } of network.parameters) {
    await network.write(name, parameterValues(`wide/${name}`, shape));
  }
  return network;
}

test("predictions and steps are those of rows, to the bit", async () => {
  const [wide, rows] = [await open(WITH_AXES), await open(OF_ROWS)];
  const x = uniformValues("wide/x", BATCH * 240, 1);
  const y = uniformValues("wide/y", BATCH * 288, 1);
  for (let step = 0; step < 3; step++) {
    expect(await wide.step(x, y)).toEqual(await rows.step(x, y));
    const [made, expected] = [await wide.predict(x), await rows.predict(x)];
    expect(made).toHaveLength(BATCH * 288);
    expect(made).toEqual(expected);
  }
});

test("too few numbers are an error before anything is computed", async () => {
  const network = await open(WITH_AXES);
  await expect(network.predict(new Float32Array(239))).rejects.toThrow(/240/);
  const y = new Float32Array(BATCH * 288);
  await expect(network.step(new Float32Array(BATCH * 240), y.subarray(1))).rejects.toThrow(/288/);
});
