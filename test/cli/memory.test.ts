import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeWorkspace, type Workspace } from "./fixtures.js";
import { netc } from "./netc.js";

let workspace: Workspace;

beforeAll(async () => {
  workspace = await makeWorkspace();
});

afterAll(() => workspace.remove());

const RESIDUAL = `model Residual {
  input  image: f32[N, 3, 32, 32]
  target label: u32[N] in 0..10
  conv(16, kernel=3, padding=1) -> batchnorm -> relu
  repeat 2 {
    residual {
      conv(16, kernel=3, padding=1) -> batchnorm -> relu
      conv(16, kernel=3, padding=1) -> batchnorm
    }
    relu
  }
  flatten -> linear(10) as logits
  loss cross_entropy(logits, label)
}
`;

test("summary --memory shows what is recomputed, the slices and the cost", async () => {
  await workspace.write("residual.net", RESIDUAL);
  const summary = (...args: string[]) =>
    netc(["summary", "residual.net", "--batch", "32", ...args], { cwd: workspace.folder });
  const { memory } = JSON.parse((await summary("--json")).stdout);
  const repeating = await summary("--memory", `${memory.training - 1}B`);
  expect(repeating.stdout).toMatch(/^memory, training [\d.]+ MiB \(\d+ dispatches a step\)$/m);
  expect(repeating.stdout).toMatch(
    /^computed again {3}[\w., ]*relu1.*: \+\d+\.\d% multiply-adds$/m,
  );
  const budget = Math.round(memory.training / 3);
  const sliced = JSON.parse((await summary("--memory", `${budget}B`, "--json")).stdout);
  expect(sliced.slices).toBeGreaterThan(1);
  expect(sliced.memory.training).toBeLessThanOrEqual(budget);
  expect(sliced.repeated.work).toBeGreaterThanOrEqual(1);
});

test("a budget that nothing can keep says the least that can, and what takes it", async () => {
  for (const command of ["summary", "compile"]) {
    const { code, stdout, stderr } = await netc(
      [command, "specs/alexnet.net", "--batch", "128", "--memory", "400MiB"].concat(
        command === "compile" ? ["-o", workspace.folder, "--target", "gpu"] : [],
      ),
    );
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe(
      "error: training takes at least 498 MiB, and `--memory` allows 400 MiB\n" +
        "help: that is one image at a time, with all computed again that saves memory: " +
        "233 MiB of weights, " +
        "233 MiB that the optimizer keeps of them, and 31.8 MiB of values and gradients\n",
    );
  }
});

test("compile --memory bakes the slices in", async () => {
  const args = ["compile", "specs/alexnet.net", "-o", workspace.folder, "--memory", "600MiB"];
  const { code, stdout } = await netc([...args, "--target", "gpu"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /^to train within 600 MiB, netc splits the batch into \d slices of up to \d+$/m,
  );
  const module = await readFile(`${workspace.folder}/alexnet.js`, "utf8");
  expect(module).toMatch(/^ {4}slice: \d+,$/m);
});
