import { imageOf } from "../../program/tensors.js";
import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import type { Graph } from "../../compiler/ir/graph.js";
import { chooseRepeated } from "../../compiler/passes/choose-repeated.js";
import { fusedTraining } from "../../compiler/passes/step-graphs.js";
import { compileGraph, type ProgramOptions } from "../../compiler/program.js";
import { analyze } from "../../compiler/semantics/index.js";
import { trainingBytes } from "../../program/planned-memory.js";
import type { OptimizerSettings, Program, Target } from "../../program/program.js";
import { createNetwork } from "../../runtime/index.js";
import { labelValues, uniformValues } from "../oracle/values.js";
import { readSpec } from "../parity/harness.js";
import { TRANSFORMER } from "./transformer.js";
import { sampled } from "../adapters.js";

const RESIDUAL = `
model Residual {
  input  image: f32[N, 3, 16, 16]
  target label: u32[N] in 0..10
  conv(12, kernel=3, padding=1, bias=false) -> batchnorm -> relu
  for out in [12, 20] {
    residual {
      conv(out, kernel=3, padding=1, bias=false) -> batchnorm -> relu -> dropout(0.3)
      conv(out, kernel=3, padding=1, bias=false) -> batchnorm -> stochastic_depth(0.3)
    } skip auto
    relu -> maxpool(2)
  }
  flatten -> dropout(0.5) -> linear(10) as logits
  loss cross_entropy(logits, label)
}
`;

const SPECS = {
  "residual, batch norm and dropout": RESIDUAL,
  digits: readSpec("digits"),
  "cifar10-quick": readSpec("cifar10-quick"),
  "a transformer": TRANSFORMER,
};

const BATCH = 6;
const IMAGES = 5;

const SGD: OptimizerSettings = {
  kind: "sgd",
  learningRate: 0.05,
  momentum: 0.9,
  weightDecay: 1e-3,
  nesterov: false,
  convention: "pytorch",
};
const ADAM: OptimizerSettings = {
  kind: "adam",
  learningRate: 0.001,
  weightDecay: 0,
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-8,
  clip: { norm: 1 },
};

function graphOf(text: string): Graph {
  const { selected, diagnostics } = analyze(text, "test.net");
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return selected!.model.graph!;
}

const TARGETS: readonly Target[] = ["gpu", "lanes8", "lanes4"];

/** Weights, statistics and losses after three steps, and whether what was planned was allocated. */
async function train(programs: readonly Program[], accumulate: number) {
  const network = await createNetwork(programs, { batch: BATCH, seed: 4, accumulate });
  try {
    const { channels, height, width } = imageOf(network.program);
    const results = new Map<string, Float32Array>();
    for (let step = 0; step < 3; step++) {
      const images = uniformValues(`images ${step}`, IMAGES * channels * height * width, 1);
      const { loss } = await network.step(images, labelValues(`labels ${step}`, IMAGES, 10));
      results.set(`loss ${step}`, Float32Array.of(loss!));
    }
    const { total, runtime } = network.memory;
    const slices = { batch: BATCH, slices: accumulate };
    expect(total - runtime).toBe(trainingBytes(network.program, slices));
    for (const { name } of network.parameters) results.set(name, await network.read(name));
    return results;
  } finally {
    network.destroy();
  }
}

const repeatedCases = Object.keys(SPECS).flatMap((name) => [
  { name, rule: "sgd", optimizer: SGD, accumulate: 1 },
  { name, rule: "adam with sums of slices", optimizer: ADAM, accumulate: 2 },
]);

// Sampled are the residual network and the transformer with SGD, and digits with Adam.
test.each(sampled(repeatedCases, 6))(
  "$name, $rule: repeating changes no bit",
  async ({ name, optimizer, accumulate }) => {
    const graph = graphOf(SPECS[name as keyof typeof SPECS]);
    const source = { file: "test.net", hash: "0" };
    const choices = chooseRepeated(fusedTraining(graph, { optimizer })!, BATCH);
    const programs = (again?: ReadonlySet<number>) =>
      TARGETS.map((target) => {
        const options: ProgramOptions = { target, source, classes: 10, optimizer };
        return compileGraph(graph, { ...options, again }).program;
      });
    const kept = programs();
    const expected = await train(kept, accumulate);
    // All that may be repeated is more than any budget asks for.
    const everything = new Set(Array.from({ length: 1000 }, (_, id) => id));
    const chosen = choices.length > 1 ? [choices.at(-1)!.again] : [];
    for (const again of [...chosen, everything]) {
      const repeating = programs(again);
      const list = accumulate > 1 ? "accumulate" : "train";
      expect(repeating[1]!.steps[list].length).toBeGreaterThan(kept[1]!.steps[list].length);
      for (const [tensor, values] of await train(repeating, accumulate)) {
        expect(Buffer.compare(bytesOf(values), bytesOf(expected.get(tensor)!)), tensor).toBe(0);
      }
    }
  },
);

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  Buffer.from(buffer, byteOffset, byteLength);

const modelIn = (text: string) => /model (\w+)/.exec(text)![1]!;

const trainable = (text: string) =>
  /^train /m.test(text)
    ? text
    : `${text}\ntrain R of ${modelIn(text)} { epochs = 1\n batch = 32\n optimizer = sgd(lr=0.1) }`;

test.each(Object.entries(SPECS))("%s keeps to every budget that can be kept", (_, spec) => {
  const text = trainable(spec);
  const batch = 32;
  const fitting = (bytes: number) => compile(text, { file: "a.net", memory: { bytes, batch } });
  const [whole] = fitting(Number.MAX_SAFE_INTEGER).compiled;
  expect(whole!.fit).toMatchObject({ slices: 1, repeated: [], work: 1 });
  const { least } = fitting(1).excess!;
  let before = Infinity;
  for (let part = 1; part >= 0; part -= 0.25) {
    const bytes = Math.floor(least + part * (whole!.fit!.bytes - least));
    const { compiled, excess } = fitting(bytes);
    // Each target has its least; the one that was named first is the GPU's.
    if (part > 0) expect(excess).toBeUndefined();
    expect(compiled[0]!.excess).toBeUndefined();
    for (const { fit, program } of compiled.filter((each) => !each.excess)) {
      expect(fit!.bytes).toBeLessThanOrEqual(bytes);
      expect(trainingBytes(program, fit!)).toBe(fit!.bytes);
      expect(program.slice).toBe(Math.ceil(batch / fit!.slices));
      expect(fit!.work).toBeGreaterThanOrEqual(1);
    }
    expect(compiled[0]!.fit!.bytes).toBeLessThanOrEqual(before);
    before = bytes;
  }
});

test("the budget of ranks is that of each, for its part of the batch", () => {
  const fit = (parts: { batch: number; ranks?: number }) => {
    const memory = { bytes: Number.MAX_SAFE_INTEGER, ...parts };
    return compile(trainable(RESIDUAL), { file: "a.net", target: "gpu", memory }).compiled[0]!.fit;
  };
  expect(fit({ batch: 31, ranks: 4 })).toEqual(fit({ batch: 8 }));
});

test("batch normalization is not sliced where repetitions do", () => {
  const text = trainable(RESIDUAL);
  const fit = (bytes: number) =>
    compile(text, { file: "a.net", target: "gpu", memory: { bytes, batch: 32 } }).compiled[0]!.fit!;
  const whole = fit(Number.MAX_SAFE_INTEGER).bytes;
  const repeating = fit(whole - 1);
  expect(repeating.slices).toBe(1);
  expect(repeating.repeated.length).toBeGreaterThan(0);
});

test.runIf(process.env["NETC_TEST_FULL"])(
  "each phase of training computes again what its budget asks for, and trains to the same bits",
  async () => {
    const text = `${RESIDUAL}
train R of Residual {
  freeze = [conv1.*]
  unfreeze = after(1 epochs, [conv1.*])
  epochs = 2
  batch = ${BATCH}
  optimizer = sgd(lr=0.1, momentum=0.9)
}`;
    const fitting = (bytes: number) =>
      compile(text, { file: "a.net", target: "gpu", memory: { bytes, batch: BATCH } });
    const whole = fitting(Number.MAX_SAFE_INTEGER);
    const small = fitting(whole.compiled[0]!.fit!.bytes - 1);
    expect(small.compiled[0]!.fit).toMatchObject({ slices: 1 });
    const results = [];
    for (const { programs } of [whole, small]) results.push(await trainPhases(programs));
    const [kept, repeated] = results;
    expect(repeated!.dispatches).toBeGreaterThan(kept!.dispatches);
    expect(Buffer.compare(repeated!.weights, kept!.weights)).toBe(0);
  },
);

/** Two steps in each of two phases. `dispatches` are those of the second phase's step. */
async function trainPhases(programs: readonly Program[]) {
  const network = await createNetwork(programs, { batch: BATCH, seed: 4 });
  try {
    for (const phase of [0, 0, 1, 1]) {
      await network.enterPhase(phase);
      const images = uniformValues(`images ${phase}`, IMAGES * 3 * 16 * 16, 1);
      await network.step(images, labelValues(`labels ${phase}`, IMAGES, 10));
    }
    return { dispatches: network.program.steps.train.length, weights: await network.save() };
  } finally {
    network.destroy();
  }
}
