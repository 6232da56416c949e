import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { DEFAULT_LIMITS } from "../../program/limits.js";
import { bufferBytes, trainingBytes } from "../../program/planned-memory.js";
import { createNetwork } from "../../runtime/index.js";
import { labelValues, uniformValues } from "../oracle/values.js";
import { readSpec } from "../parity/harness.js";

const full = process.env.NETC_TEST_FULL === "1";

/** fc6's weights alone are 392 MiB. */
test.skipIf(!full)(
  "vgg16 trains a step in slices, within the default limits",
  async () => {
    const { programs } = compile(readSpec("vgg16"), { file: "vgg16.net" });
    const [batch, slices] = [4, 2];
    const start = performance.now();
    const network = await createNetwork(programs, { batch, accumulate: slices, seed: 1 });
    try {
      const { program, slice } = network;
      expect(slice).toBe(2);
      const { maxStorageBufferBindingSize, maxBufferSize } = DEFAULT_LIMITS;
      for (const { bytes, largestBatch = slice } of program.buffers) {
        if (largestBatch < slice) continue;
        const most = Math.min(maxStorageBufferBindingSize, maxBufferSize);
        expect(bufferBytes(bytes, slice)).toBeLessThanOrEqual(most);
      }
      const images = uniformValues("vgg", batch * 3 * 224 * 224, 1);
      const { loss } = await network.step(images, labelValues("vgg", batch, 1000));
      expect(Math.abs(loss! - Math.log(1000))).toBeLessThan(1);
      const { total, runtime } = network.memory;
      expect(total - runtime).toBe(trainingBytes(program, { batch, slices }));
      const seconds = (performance.now() - start) / 1000;
      console.log(
        `${network.adapter.name}: ${seconds.toFixed(1)} s, ${(total / 1e6).toFixed(0)} MB`,
      );
    } finally {
      network.destroy();
    }
  },
  600_000,
);
