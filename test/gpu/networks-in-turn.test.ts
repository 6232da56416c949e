/** Networks that come and go leave the device's memory to the next one. */
import { fstatSync, readdirSync, readlinkSync } from "node:fs";
import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { createNetwork } from "../../runtime/index.js";
import { readSpec } from "../parity/harness.js";

/** Bytes of the files without a name in which lavapipe keeps what is allocated on it. */
function lavapipeBytes(): number {
  const sizes = readdirSync("/proc/self/fd").map((descriptor) => {
    try {
      const isMemory = readlinkSync(`/proc/self/fd/${descriptor}`).includes("memfd");
      return isMemory ? fstatSync(Number(descriptor)).blocks * 512 : 0;
    } catch {
      return 0; // The folder's own, closed by now.
    }
  });
  return sizes.reduce((total, size) => total + size, 0);
}

test.runIf(process.env["NETC_ADAPTER"] === "lavapipe")(
  "a second and a third network take the memory that the first gave back",
  async () => {
    const { programs } = compile(readSpec("cifar10-quick"), { file: "cifar10-quick.net" });
    const after: number[] = [];
    for (let round = 0; round < 3; round++) {
      const network = await createNetwork(programs, { adapter: "lavapipe", batch: 64 });
      await network.step(new Float32Array(64 * 3 * 32 * 32), new Uint32Array(64));
      network.destroy();
      after.push(lavapipeBytes());
    }
    expect(after[0]).toBeGreaterThan(1e6);
    expect(after[2]! / after[0]!).toBeLessThan(1.1);
  },
);
