/** Modules of `--predict-only`: what they leave out, and that they predict what others predict. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { createNetwork, evaluateDataset, fit } from "../../runtime/index.js";
import { createNetwork as createPredictor } from "../../runtime/predict-node.js";
import type { TrainableNetwork } from "../../runtime/training/index.js";

const SPEC = `const half = [0.5, 0.5, 0.5]

model Small {
  input  image: f32[N, 3, 8, 8]
  target label: u32[N] in 0..5
  features {
    repeat 2 { conv(8, kernel=3, padding=1, bias=false) -> batchnorm -> relu }
    maxpool(2)
  }
  dropout(0.5) -> flatten -> linear(5) as logits
  loss   cross_entropy(logits, label)
  metric top1 = accuracy(logits, label)
}
data Pictures for Small {
  train folder("photos") { random_crop(8, padding=2) -> normalize(mean=half, std=half) }
  eval  folder("photos") { resize(10) -> center_crop(8) -> normalize(mean=half, std=half) }
}
train Base of Small on Pictures {
  epochs    = 2
  batch     = 4
  optimizer = adam(lr=0.01)
  average   = ema(0.9)
  freeze    = [features]
  unfreeze  = after(1 epochs, [features])
  seed      = 1
}
`;

const images = Float32Array.from({ length: 3 * 3 * 64 }, (_, index) => Math.sin(index * 0.7));

test("predicts the same bits as the whole network, without what it leaves out", async () => {
  const specs = [
    ["small.net", SPEC.replace(/ {2}freeze[^]*?\n {2}unfreeze.*\n/, "")],
    ["digits.net", readFileSync(join(import.meta.dirname, "../../specs/digits.net"), "utf8")],
  ] as const;
  for (const [file, text] of specs) {
    const [whole, only] = [false, true].map((predictOnly) => compile(text, { file, predictOnly }));
    expect(whole!.diagnostics).toEqual([]);
    expect(only!.recipe).toBeUndefined();
    expect(only!.module).toContain('from "netc/runtime/predict"');
    expect(only!.module).not.toMatch(/export const recipe|learning_rate|gradient|cross_entropy/);
    for (const { steps, metrics, preparations = {}, phases } of only!.programs) {
      const empty = Object.entries(steps).filter(([, list]) => list.length === 0);
      const left = ["initialize", "train", "accumulate", "update", "average", "evaluate"];
      expect(empty.map(([name]) => name)).toEqual(expect.arrayContaining(left));
      expect([metrics, phases]).toEqual([[], undefined]);
      expect(Object.keys(preparations)).not.toContain("train");
    }
    const network = await createNetwork(whole!.programs, { batch: 4, seed: 3 });
    const predictor = await createPredictor(only!.programs, { batch: 2 });
    const first = images.subarray(0, file === "small.net" ? 2 * 192 : 128);
    try {
      await expect(predictor.predict(first)).rejects.toThrow("has no weights yet: call `load`");
      const classes = Array.from({ length: file === "small.net" ? 5 : 10 }, (_, i) => `c${i}`);
      const weights = await network.save({ metadata: { classes: JSON.stringify(classes) } });
      await predictor.load(weights);
      expect(await predictor.predict(first)).toEqual(await network.predict(first));
      expect(predictor.classes).toEqual(classes);
      const checkpoint = await network.save({ optimizer: true });
      await expect(predictor.load(checkpoint)).rejects.toThrow(/is a checkpoint .*weights.safe/);
      expect(predictor.memory.total).toBeLessThan(network.memory.total * 2);
    } finally {
      network.destroy();
      predictor.destroy();
    }
    await expect(predictor.predict(first)).rejects.toThrow("was destroyed");
  }
});

test("phases of training, options and training are refused, or left out", async () => {
  const { programs, diagnostics } = compile(SPEC, { file: "small.net", predictOnly: true });
  expect(diagnostics).toEqual([]);
  expect(programs.every(({ phases }) => phases === undefined)).toBe(true);
  await expect(createPredictor(programs, { seed: 1 } as never)).rejects.toThrow(
    "`createSmall` has no option `seed`; it takes adapter, batch",
  );
  const predictor = (await createPredictor(programs)) as unknown as TrainableNetwork;
  try {
    const { recipe } = compile(SPEC, { file: "small.net" });
    const message = "the module of this network was compiled with `--predict-only`";
    await expect(fit(predictor, [], recipe!)).rejects.toThrow(`\`fit\` needs training`);
    await expect(evaluateDataset(predictor as never, [])).rejects.toThrow(message);
  } finally {
    (predictor as unknown as { destroy(): void }).destroy();
  }
});
