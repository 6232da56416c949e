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

test("each stage of unfreeze is a separate program, which trains what the stage unfreezes", () => {
  const { programs, diagnostics } = compile(
    specOf(
      "[features.*]\n  unfreeze = after(2 steps, [features.conv2]) -> after(4 steps, [*.bias])",
    ),
    { file: "small.net" },
  );
  expect(diagnostics).toEqual([]);
  const head = ["classifier.logits.weight", "classifier.logits.bias"];
  const conv2 = ["features.conv2.weight", "features.conv2.bias"];
  for (const program of programs) {
    const phases = [program, ...program.phases!];
    expect(phases.map(({ target }) => target)).toEqual(phases.map(() => program.target));
    const trained = phases.map(({ parameters }) =>
      parameters.filter(({ pieces }) => pieces[0]!.states).map(({ name }) => name),
    );
    expect(trained).toEqual([
      head,
      [...conv2, ...head],
      ["features.conv1.bias", "features.bn.bias", ...conv2, ...head],
    ]);
    const gradients = phases.map(
      ({ steps }) =>
        steps.train.filter(({ label }) => /^features.*(gradient|update)/.test(label)).length,
    );
    expect(gradients[0]).toBe(0);
    expect(gradients[1]).toBeGreaterThan(0);
    expect(gradients[2]).toBeGreaterThan(gradients[1]!);
  }
});

test("a module holds the programs of all phases", async () => {
  const { module, programs } = compile(
    specOf("[features.*]\n  unfreeze = after(2 steps, [features.conv2])\n  average = ema(0.9)"),
    { file: "small.net" },
  );
  const alone = module.replace(/^import .*$/m, "const createNetwork = (programs) => programs;");
  const url = `data:text/javascript;base64,${Buffer.from(alone).toString("base64")}`;
  const imported = (await import(/* @vite-ignore */ url)) as { createSmall(): unknown };
  // Sections are for who writes a module; it has the texts.
  const written = JSON.stringify(programs, (key, value: unknown) =>
    key === "sections" ? undefined : value,
  );
  expect(imported.createSmall()).toEqual(JSON.parse(written));
});

test("averages are kept of what training changes, and are what evaluations read", () => {
  const { program } = compile(specOf("[features.conv1]\n  average = ema(0.9)"), {
    file: "small.net",
  });
  const averaged = program!.parameters.filter(({ pieces }) => pieces[0]!.average !== undefined);
  expect(averaged.map(({ name }) => name)).toEqual(
    program!.parameters.map(({ name }) => name).filter((name) => !name.includes("conv1")),
  );
  // What is folded for evaluations is made of averages, too.
  const { evaluate, fold } = program!.steps;
  const bound = new Set([...fold, ...evaluate].flatMap(({ buffers }) => buffers));
  for (const { pieces } of averaged) {
    expect([bound.has(pieces[0]!.average!), bound.has(pieces[0]!.buffer)]).toEqual([true, false]);
  }
});
