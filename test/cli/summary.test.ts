import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../data/pattern.js";
import { netc } from "./netc.js";

test("AlexNet's numbers as JSON", async () => {
  const args = ["summary", "specs/alexnet.net", "--batch", "8", "--json"];
  const { code, stdout, stderr } = await netc(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const summary = JSON.parse(stdout);
  expect(summary).toMatchObject({
    model: "AlexNet",
    batch: 8,
    totals: { parameters: 61_100_840, macs: 714_188_480 },
  });
  expect(summary.layers.find(({ name }: { name: string }) => name === "features.conv1")).toEqual({
    name: "features.conv1",
    kind: "conv",
    line: expect.any(Number),
    output: [64, 55, 55],
    parameters: 23_296,
    macs: 70_276_800,
    // Nothing before it needs a gradient: only its weights' is computed.
    macsBackward: 70_276_800,
    isFrozen: false,
  });
  // Weights alone are 61,100,840 floats; padding adds little.
  expect(summary.memory.weights / (4 * 61_100_840)).toBeCloseTo(1, 2);
  expect(summary.memory.training).toBeGreaterThan(2 * summary.memory.weights);
  expect(summary.memory.inference).toBeLessThan(summary.memory.training);
  expect(summary.dispatches.train).toBeGreaterThan(summary.dispatches.predict);
});

test("the table has a row a layer and the totals", async () => {
  const { code, stdout } = await netc(["summary", "specs/alexnet.net"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^features\.conv1 +conv +64 x 55 x 55 +23,296 +70,276,800/m);
  expect(stdout).toMatch(/^total +61,100,840 +714,188,480/m);
});

test("frozen layers are marked, and gradients that nothing needs cost nothing", async () => {
  const summary = (train: string) =>
    netc(["summary", "specs/cifar10-transfer.net", "--train", train]).then(({ stdout }) => stdout);
  const frozen = await summary("Transfer");
  expect(frozen).toMatch(/^features\.stage2\.conv1 +conv .* 18,432 frozen +4,718,592 +- /m);
  expect(frozen).toMatch(/^features\.stage2\.batchnorm1 .* 128 frozen /m);
  expect(frozen).toMatch(/^features\.stage2\.relu1 +relu [^f]*$/m);
  // The head's weight gradient is all that is computed.
  expect(frozen).toMatch(/^classifier\.logits .* 645 +640 +640 /m);
  expect(frozen).toMatch(/^total +94,117 +10,322,560 +640$/m);
  expect(await summary("Scratch")).toMatch(/^total +94,117 +10,322,560 +19,760,384$/m);
});

test("the table names the weights of a layer in its row", async () => {
  const { stdout } = await netc(["summary", "specs/resnet18.net"]);
  expect(stdout).toMatch(/^stem\.conv1 .* \d+ {2}weight$/m);
  expect(stdout).toMatch(/^stem\.batchnorm1 .*weight, bias, running_mean, running_var$/m);
});

test("weights of several parts, and declared parameters, belong to their layers", async () => {
  const { stdout: windows } = await netc(["summary", "specs/swin_t.net"]);
  const parts = "relative_position_bias_table, qkv.weight, qkv.bias, proj.weight, proj.bias";
  expect(windows).toMatch(new RegExp(`^stage1\\.pair1\\.layer1\\.attn .*\\d {2}${parts}$`, "m"));
  const file = join(await temporaryFolder(), "vit.net");
  const text = await readFile("specs/vit_tiny.net", "utf8");
  const frozen = "freeze = [class_token, *.out_proj]\n  epochs";
  await writeFile(file, text.replace(/^ {2}epochs/m, `  ${frozen}`));
  const { code, stdout, stderr } = await netc(["summary", file]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^class_token +parameter +1 x 96 +96 frozen /m);
  expect(stdout).toMatch(/^positions +parameter +65 x 96 +6,240 /m);
  expect(stdout).toMatch(/^encoder1\.attention1 +attention +65 x 96 +37,248 +\d/m);
});

test("--weights lists them by the names that the weights file has, with shapes", async () => {
  const { code, stdout } = await netc(["summary", "specs/resnet18.net", "--weights"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^stem\.conv1\.weight +64 x 3 x 7 x 7 +9,408 +trained +\d+$/m);
  expect(stdout).toMatch(/^stem\.batchnorm1\.running_mean +64 +64 +statistic +\d+$/m);
});

test("--json has the weights too", async () => {
  const { stdout } = await netc(["summary", "specs/alexnet.net", "--json"]);
  const { weights } = JSON.parse(stdout);
  expect(weights).toHaveLength(16);
  const line = expect.any(Number);
  const conv1 = { name: "features.conv1.weight", shape: [64, 3, 11, 11], role: "trained", line };
  expect(weights[0]).toEqual(conv1);
});

test("the memory for training is that of the phase that trains most", async () => {
  const spec = (setting: string) => `model M {
    input  image: f32[N, 3, 32, 32]
    target label: u32[N] in 0..10
    features { conv(8, kernel=3) -> relu -> conv(8, kernel=3) -> relu }
    global_avgpool -> flatten -> linear(10) as logits
    loss cross_entropy(logits, label)
  }
  train T of M {
    epochs = 2
    batch = 8
    optimizer = sgd(lr=0.01)
    ${setting}
  }`;
  const summaryWith = async (setting: string) => {
    await writeFile(path, spec(setting));
    return JSON.parse((await netc(["summary", path, "--json"])).stdout);
  };
  const path = join(await temporaryFolder(), "phases.net");
  const frozen = await summaryWith("freeze = [features]");
  const thawed = await summaryWith("freeze = [features]\n unfreeze = after(1 epochs, [features])");
  const whole = await summaryWith("");
  expect(frozen.memory.training).toBeLessThan(whole.memory.training);
  expect(thawed.memory.training).toBe(whole.memory.training);
  // At first only the head has work in the backward pass; from then on all has.
  expect(thawed.totals.macsBackward).toBe(frozen.totals.macsBackward);
  const { macsBackward } = whole.totals;
  expect(thawed.phases).toEqual([{ after: { count: 1, unit: "epochs" }, macsBackward }]);
});

test("--watch shows it again after each change, and says what is wrong meanwhile", async () => {
  const path = join(await temporaryFolder(), "watched.net");
  const spec = (layer: string) =>
    `model M { input x: f32[N, 4]\n target y: u32[N] in 0..3\n ${layer} as logits
      loss cross_entropy(logits, y) }`;
  await writeFile(path, spec("linear(3)"));
  const changes = [spec("linaer(3)"), spec("linear(5) -> linear(3)")];
  let waits = 0;
  const { code, stdout, stderr } = await netc(["summary", path, "--watch"], {
    onStderr(text, kill) {
      if (text.split("waiting for changes").length - 1 <= waits) return;
      const next = changes[waits++];
      if (next === undefined) kill("SIGINT");
      else void writeFile(path, next);
    },
  });
  expect(stdout.match(/^M, batch 1$/gm)).toHaveLength(2);
  expect(stdout).toMatch(/^linear1 +linear +5/m);
  expect(stderr).toMatch(/did you mean `linear`/);
  expect(code).toBe(0);
});
