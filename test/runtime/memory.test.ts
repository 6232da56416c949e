import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bytesOf, slicesWithin, trainingBytes } from "../../cli/planned-memory.js";
import { compile } from "../../compiler/index.js";
import { createNetwork } from "../../runtime/index.js";
import { labelValues, uniformValues } from "../oracle/values.js";

const BATCH = 4;

const programsOf = (spec: string) => {
  const text = readFileSync(join(import.meta.dirname, "../../specs", `${spec}.net`), "utf8");
  return compile(text, { file: `${spec}.net` }).programs;
};

test.each([
  ["digits", 1],
  ["digits", 2],
  ["lenet", 1],
  ["cifar10-quick", 1],
])("%s in %i slices allocates what was planned", async (spec, accumulate) => {
  const network = await createNetwork(programsOf(spec), { batch: BATCH, accumulate });
  try {
    const { program } = network;
    const { channels, height, width } = program.input;
    const images = uniformValues("images", BATCH * channels * height * width, 1);
    const planned = trainingBytes(program, { batch: BATCH, slices: accumulate });
    for (let step = 0; step < 2; step++) {
      await network.step(images, labelValues("labels", BATCH, program.classes!));
      const { total, runtime } = network.memory;
      expect(total - runtime).toBe(planned);
    }
  } finally {
    network.destroy();
  }
});

test("a budget is kept by the fewest slices that keep it", () => {
  const [program] = programsOf("cifar10-quick");
  const whole = trainingBytes(program!, { batch: 128, slices: 1 });
  expect(slicesWithin(program!, 128, whole)).toBe(1);
  const slices = slicesWithin(program!, 128, whole / 3);
  expect(trainingBytes(program!, { batch: 128, slices })).toBeLessThanOrEqual(whole / 3);
  expect(trainingBytes(program!, { batch: 128, slices: slices - 1 })).toBeGreaterThan(whole / 3);
  expect(() => slicesWithin(program!, 128, 1000)).toThrow(
    /at least .*, and `--memory` allows 1000/,
  );
});

test("AlexNet's plans stay near what must be there", () => {
  for (const program of programsOf("alexnet")) {
    const training = (batch: number) => trainingBytes(program, { batch, slices: 1 });
    expect(training(8)).toBeLessThan(600e6);
    // docs/memory.md: 844 MB must be there, and 116 MB more of partial sums on GPUs, where the plan is 12% above that.
    expect(training(128)).toBeLessThan(program.target === "gpu" ? 1.15 * 960e6 : 1.1 * 844e6);
    expect(bytesOf(program, program.steps.predict, 8)).toBeLessThan(280e6);
  }
});
