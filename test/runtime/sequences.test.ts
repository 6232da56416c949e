import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { createNetwork, type Network } from "../../runtime/index.js";
import { labelValues, uniformValues } from "../oracle/values.js";
import { TRANSFORMER } from "./transformer.js";

const RECIPE = `
train R of Transformer {
  epochs = 1
  batch = 5
  optimizer = adamw(lr=1e-3)
}
`;

const open = () => {
  const { programs } = compile(TRANSFORMER + RECIPE, { file: "t.net", train: "R" });
  return createNetwork(programs, { batch: 5, seed: 2 });
};

const step = (network: Network, turn: number) =>
  network.step(uniformValues(`images ${turn}`, 5 * 768, 1), labelValues(`labels ${turn}`, 5, 10));

test("a transformer's training resumes with the same bits", async () => {
  const [whole, before] = [await open(), await open()];
  const networks = [whole, before];
  try {
    for (const turn of [0, 1]) for (const network of networks) await step(network, turn);
    const bytes = await before.save({ optimizer: true });
    const after = await open();
    networks.push(after);
    await after.load(bytes);
    const losses = [await step(whole, 2), await step(after, 2)];
    expect(losses[1]).toEqual(losses[0]);
    for (const { name } of whole.parameters)
      expect(await after.read(name), name).toEqual(await whole.read(name));
  } finally {
    for (const network of networks) network.destroy();
  }
});

test("parameters have the names and shapes of PyTorch", async () => {
  const network = await open();
  try {
    const shapes = Object.fromEntries(network.parameters.map(({ name, shape }) => [name, shape]));
    expect(shapes).toMatchObject({
      class_token: [1, 24],
      positions: [17, 24],
      "patches.weight": [24, 3, 4, 4],
      "attention1.in_proj_weight": [72, 24],
      "attention1.in_proj_bias": [72],
      "attention1.out_proj.weight": [24, 24],
      "attention1.out_proj.bias": [24],
    });
  } finally {
    network.destroy();
  }
});
