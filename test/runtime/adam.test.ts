import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { createNetwork, type Network } from "../../runtime/index.js";
import { runsAllVariants } from "../adapters.js";
import { uniformValues } from "../oracle/values.js";

const SPEC = (optimizer: string) => `
model First {
  input image: f32[N, 6]
  target wanted: f32[N, 5]
  linear(5, bias=false, init=constant(0)) as y
  loss mse(y, wanted)
}
train Base of First {
  epochs = 1
  batch = 4
  optimizer = ${optimizer}
}
`;

/**
 * The first step goes by the learning rate whatever the gradient is: averages and corrections are
 * of the same 1 - beta.
 */
test.for([
  { optimizer: "adam(lr=0.01)", size: 0.01 },
  { optimizer: "adamw(lr=0.01, weight_decay=0)", size: 0.01 },
  { optimizer: "adam(lr=0.01, beta1=0.95, beta2=0.9999)", size: 0.01 },
  // The root of 1 - alpha, which nothing corrects.
  { optimizer: "rmsprop(lr=0.01, alpha=0.999)", size: 0.01 / Math.sqrt(1 - 0.999) },
])("$optimizer makes a first step of the right size", async ({ optimizer, size }) => {
  const { programs, diagnostics } = compile(SPEC(optimizer), { file: "first.net" });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const network: Network = await createNetwork(programs, { batch: 4 });
  try {
    await network.step(uniformValues("images", 24, 1), uniformValues("wanted", 20, 1e4) as never);
    for (const weight of await network.read(network.parameters[0]!.name)) {
      expect(Math.abs(Math.abs(weight) / size - 1)).toBeLessThan(1e-6);
    }
  } finally {
    network.destroy();
  }
});

const RESUMED = ["nadam(lr=0.01)", "radam(lr=0.01)", "lamb(lr=0.01)", "lars(lr=1, momentum=0.9)"];

/** The device counts the updates of nadam and radam, also where no step is skipped. */
test.for(runsAllVariants ? RESUMED : RESUMED.slice(0, 1))(
  "%s continues from a file bit for bit, with and without a loss scale",
  async (optimizer) => {
    const wanted = uniformValues("wanted", 20, 1);
    for (const settings of ["", "\n  precision = f16"]) {
      const { programs } = compile(SPEC(`${optimizer}${settings}`), { file: "first.net" });
      const open = () => createNetwork<string, string, Float32Array>(programs, { batch: 4 });
      const [whole, resumed] = [await open(), await open()];
      try {
        const step = (network: typeof whole, count: number) =>
          network.step(uniformValues(`images ${count}`, 24, 1), wanted);
        for (let count = 0; count < 7; count++) await step(whole, count);
        await resumed.load(await whole.save({ optimizer: true }));
        for (const network of [whole, resumed]) {
          for (let count = 7; count < 9; count++) await step(network, count);
        }
        const { name } = whole.parameters[0]!;
        expect(await resumed.read(name)).toEqual(await whole.read(name));
      } finally {
        whole.destroy();
        resumed.destroy();
      }
    }
  },
);
