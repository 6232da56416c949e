/**
 * User CPU time of compiling large networks for all adapters, in seconds, and of 300 residual
 * blocks for one: node scripts/run.mjs scripts/compile-times.ts
 */
import { readFileSync } from "node:fs";
import { compile } from "../compiler/index.js";

const SPECS = ["alexnet", "resnet50", "densenet121", "efficientnet_b0"];

function residualBlocks(count: number): string {
  return `model Deep {
    input image: f32[N, 16, 8, 8]
    target label: u32[N] in 0..10
    repeat ${count} {
      residual {
        conv(16, kernel=3, padding=1, bias=false) -> batchnorm -> relu
        conv(16, kernel=3, padding=1) -> batchnorm
      } -> relu
    }
    global_avgpool -> flatten -> linear(10) as logits
    loss cross_entropy(logits, label)
  }`;
}

function measure(name: string, text: string, target: "auto" | "gpu"): void {
  const before = process.cpuUsage();
  const { module, diagnostics } = compile(text, { file: `${name}.net`, target });
  const { user } = process.cpuUsage(before);
  if (module === "") throw new Error(`${name}: ${diagnostics.map((each) => each.message).join()}`);
  console.log(`${name} (${target}): ${(user / 1e6).toFixed(2)} s`);
}

// The first compilation also warms up the compiler itself.
measure("alexnet, first", readFileSync("specs/alexnet.net", "utf8"), "auto");
for (const name of SPECS) measure(name, readFileSync(`specs/${name}.net`, "utf8"), "auto");
for (const count of [100, 200, 300]) measure(`${count} blocks`, residualBlocks(count), "gpu");
measure("300 blocks", residualBlocks(300), "auto");
