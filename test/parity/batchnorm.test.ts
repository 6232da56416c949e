import { expect, test } from "vitest";
import {
  compareWithPyTorch,
  describeWorst,
  describeWrong,
  readExpected,
  type Expected,
} from "./harness.js";

const SPEC = `
model Normalized {
  input  image: f32[N, 3, 13, 11]
  target label: u32[N] in 0..5
  features {
    conv(10, kernel=3, padding=1, bias=false) as conv1 -> batchnorm as bn1 -> relu
    conv(14, kernel=3, stride=2, padding=1, bias=false) as conv2
    batchnorm(momentum=0.3, eps=1e-3) as bn2 -> relu -> maxpool(2)
  }
  classifier {
    flatten -> linear(20, bias=false) as fc1 -> batchnorm as bn3 -> relu
    linear(5) as logits
  }
  loss cross_entropy(logits, label)
}
`;

test.each([
  ["normalized", { gradients: "kept" }],
  ["normalized", { gradients: "applied" }],
  // Room for three images of the six, so that each slice has its own statistics.
  ["normalized-slices", { gradients: "kept", binding: 40_000 }],
  ["normalized-slices", { gradients: "applied", binding: 40_000 }],
] as const)(
  "training with batchnorm and predicting afterwards as in PyTorch: %s, %o",
  async (name, options) => {
    const differences = await compareWithPyTorch(SPEC, readExpected<Expected>(name), options);
    console.log(`${differences.length} comparisons, worst: ${describeWorst(differences)}`);
    expect(differences.map(({ tensor }) => tensor)).toContain("trained logits");
    expect(describeWrong(differences)).toBe("");
  },
);
