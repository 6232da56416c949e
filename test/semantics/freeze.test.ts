import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";

const specOf = (freeze: string) => `
model Small {
  input  image: f32[N, 3, 8, 8]
  target label: u32[N] in 0..4
  features { conv(4, kernel=3) as conv1 -> batchnorm as bn -> relu -> conv(4, kernel=3) as conv2 }
  classifier { flatten -> linear(4) as logits }
  loss cross_entropy(logits, label)
}
train Head of Small {
  freeze    = ${freeze}
  epochs    = 1
  batch     = 4
  optimizer = adam(lr=0.1)
}`;

function trainedBy(freeze: string) {
  const { program, diagnostics } = compile(specOf(freeze), { file: "small.net" });
  expect(diagnostics).toEqual([]);
  const weights = program!.parameters.filter(({ role }) => role !== "statistic");
  return {
    names: weights.filter(({ trainable }) => trainable).map(({ name }) => name),
    kept: weights.filter(({ pieces }) => pieces[0]!.states).map(({ name }) => name),
    labels: program!.steps.train.map(({ label }) => label),
  };
}

test("a section keeps its weights, which get no gradients and no memory for the optimizer", () => {
  const { names, kept, labels } = trainedBy("[features.*]");
  expect(names).toEqual(["classifier.logits.weight", "classifier.logits.bias"]);
  expect(kept).toEqual(names);
  expect(labels.filter((label) => /features.*(gradient|update)/.test(label))).toEqual([]);
});

test("layers, single weights and stars in the middle", () => {
  const { names } = trainedBy("[features.conv1, *.*.bias]");
  expect(names).toEqual([
    "features.bn.weight",
    "features.conv2.weight",
    "classifier.logits.weight",
  ]);
});
