/** What a long run takes after many steps is what it took after few. Takes minutes. */
import { classesOf, imageOf } from "../../program/tensors.js";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { analyze, compile } from "../../compiler/index.js";
import { createNetwork, fit, openData } from "../../runtime/index.js";
import { readSpec } from "../parity/harness.js";

const full = process.env["NETC_TEST_FULL"] === "1";
const adapter = process.env["NETC_ADAPTER"] ?? "embedded";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

test.runIf(full)("5,000 steps take no more memory than 100", { timeout: 1_800_000 }, async () => {
  const source = readSpec("digits");
  const { programs } = compile(source, { file: "digits.net" });
  const recipe = analyze(source, "digits.net").selected!.recipe!;
  const base = join(import.meta.dirname, "..", "..", "specs");
  const { train, evaluation } = await openData(recipe.data!, {
    base,
    shape: imageOf(programs[0]!),
    classes: classesOf(programs[0]!)!,
  });
  const network = await createNetwork(programs, { adapter, batch: recipe.batch, seed: 1 });
  const use: Record<number, { rss: number; heap: number; gpu: number }> = {};
  try {
    await fit(network, train!, recipe, {
      evaluation,
      steps: 5000,
      onStep: ({ step }) => {
        if (step % 500 !== 0 && step !== 100) return;
        collectGarbage();
        const { rss, heapUsed, external } = process.memoryUsage();
        use[step] = { rss, heap: heapUsed + external, gpu: network.memory.total };
      },
    });
  } finally {
    network.destroy();
  }
  const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(2);
  for (const [step, { rss, heap, gpu }] of Object.entries(use)) {
    console.log(
      `${step}: rss ${mebibytes(rss)}, heap ${mebibytes(heap)}, gpu ${mebibytes(gpu)} MiB`,
    );
  }
  const [early, late] = [use[100]!, use[5000]!];
  for (const kind of ["rss", "heap", "gpu"] as const) {
    expect(late[kind] / early[kind], kind).toBeLessThan(1.02);
  }
});
