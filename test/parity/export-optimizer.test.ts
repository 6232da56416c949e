/** A run that continues in PyTorch: the exported weights and the optimizer's state. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { weightsFor } from "../../cli/export-weights.js";
import { analyze, compile } from "../../compiler/index.js";
import { neededFor } from "../../interchange/export/needed.js";
import { pytorchExporter } from "../../interchange/export/pytorch/index.js";
import { createNetwork, parseTensors } from "../../runtime/index.js";
import { PYTHON, pythonHas } from "../interchange/peers.js";
import { labelValues, uniformValues } from "../oracle/values.js";

const BATCH = 4;
const CLASSES = 5;
const BEFORE = 4;
const AFTER = 5;
/** Where the second stage begins of a recipe that has one. */
const PHASE = 1;

/** A bias before batch normalization would have a gradient of rounding errors alone. */
const specOf = (settings: string) => `
model Case {
  input image: f32[N, 3, 6, 6]
  target label: u32[N] in 0..${CLASSES}
  features { conv(4, kernel=3, padding=1, bias=false) -> batchnorm -> relu -> maxpool(2) }
  flatten -> linear(8) as half -> tanh -> linear(${CLASSES}) as logits
  loss cross_entropy(logits, label)
}
train Run of Case {
  epochs = 1
  batch = ${BATCH}
  ${settings}
}
`;

const folder = mkdtempSync(join(tmpdir(), "netc-optimizer-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const batchOf = (step: number) => ({
  images: uniformValues(`optimizer/${step}`, BATCH * 3 * 6 * 6, 1),
  labels: labelValues(`optimizer/labels/${step}`, BATCH, CLASSES),
});

/** Trains, saves a checkpoint, trains further, and gives all weights of then. */
async function trained(text: string, checkpoint: string) {
  const { programs } = compile(text, { file: "case.net" });
  const network = await createNetwork<string, string, Uint32Array>(programs, { batch: BATCH });
  try {
    for (let step = 0; step < BEFORE + AFTER; step++) {
      if (step === PHASE && programs[0]!.phases) await network.enterPhase(1);
      if (step === BEFORE) writeFileSync(checkpoint, await network.save({ optimizer: true }));
      const { images, labels } = batchOf(step);
      await network.step(images, labels);
    }
    return parseTensors(await network.save()).tensors;
  } finally {
    network.destroy();
  }
}

async function exportCheckpoint(text: string, checkpoint: string) {
  const { model, recipe } = analyze(text, "case.net").selected!;
  const network = model.network!;
  const { weights } = await weightsFor(pytorchExporter, network, recipe, { weights: checkpoint });
  const { files } = pytorchExporter.write(
    { network: neededFor(network).network, ...weights },
    {
      as: "f32",
      softmax: false,
      preprocessing: false,
      path: join(folder, "case.py"),
      version: "0",
    },
  );
  for (const { path, content } of files) writeFileSync(path, content);
  return files.map(({ path }) => path.slice(folder.length + 1));
}

const CONTINUE = `
import json, sys
import torch, torch.nn.functional as F
torch.set_num_threads(1)
sys.path.insert(0, sys.argv[1])
import case
model = case.load().train()
optimizer = case.optimizer(model)
for batch in json.load(open(sys.argv[1] + "/batches.json")):
    images = torch.tensor(batch["images"]).reshape(${BATCH}, 3, 6, 6)
    optimizer.zero_grad()
    F.cross_entropy(model(images), torch.tensor(batch["labels"])).backward()
    optimizer.step()
print(json.dumps({name: value.flatten().tolist() for name, value in model.state_dict().items()}))
`;

function continuedInPyTorch(): Readonly<Record<string, readonly number[] | number>> {
  const batches = Array.from({ length: AFTER }, (_, index) => {
    const { images, labels } = batchOf(BEFORE + index);
    return { images: [...images], labels: [...labels] };
  });
  writeFileSync(join(folder, "batches.json"), JSON.stringify(batches));
  const output = execFileSync(PYTHON, ["-c", CONTINUE, folder], { encoding: "utf8" });
  return JSON.parse(output) as Readonly<Record<string, readonly number[]>>;
}

const CASES = [
  "optimizer = sgd(lr=0.05, momentum=0.9, weight_decay=1e-3)",
  "optimizer = sgd(lr=0.05, momentum=0.9, nesterov=true)\n  lr_factors = [(features.*, 0.1)]",
  "optimizer = adam(lr=2e-3, beta2=0.99, weight_decay=1e-3)",
  "optimizer = adamw(lr=2e-3, weight_decay=0.1)\n  no_decay = [*.bias]",
  "optimizer = adamw(lr=2e-3)\n  freeze = [features.conv1.*]",
  "optimizer = rmsprop(lr=1e-3, momentum=0.9)",
  "optimizer = adagrad(lr=1e-2, weight_decay=1e-3)",
  "optimizer = adadelta(lr=0.5, eps=1e-4)",
  "optimizer = radam(lr=2e-3)",
  // Its optimizer began after the first step, as that of PyTorch's new stage does.
  "optimizer = adam(lr=2e-3)\n  freeze = [half.*]\n  unfreeze = after(1 steps, [half.*])",
];

describe("PyTorch continues a run", () => {
  const isFull = process.env.NETC_TEST_FULL === "1" && pythonHas("torch");
  test.skipIf(!isFull).each(CASES)("%s", { timeout: 120_000 }, async (settings) => {
    const checkpoint = join(folder, "checkpoint.safetensors");
    const expected = await trained(specOf(settings), checkpoint);
    expect(await exportCheckpoint(specOf(settings), checkpoint)).toContain("case.optimizer.pth");
    const got = continuedInPyTorch();
    for (const [name, { values }] of expected) {
      const theirs = got[name.replace("half", "half_")] as readonly number[];
      const differences = theirs.map((value, index) => Math.abs(value - values[index]!));
      expect(Math.max(...differences), name).toBeLessThan(1e-5);
    }
  });
});

describe("what is written of a checkpoint", () => {
  const tensorsOf = async (settings: string, steps = 1) => {
    const checkpoint = join(folder, "short.safetensors");
    const text = specOf(settings);
    const { programs } = compile(text, { file: "case.net" });
    const network = await createNetwork<string, string, Uint32Array>(programs, { batch: BATCH });
    try {
      for (let step = 0; step < steps; step++) {
        if (step === PHASE && programs[0]!.phases) await network.enterPhase(1);
        await network.step(batchOf(step).images, batchOf(step).labels);
      }
      writeFileSync(checkpoint, await network.save({ optimizer: true }));
    } finally {
      network.destroy();
    }
    const { model, recipe } = analyze(text, "case.net").selected!;
    return weightsFor(pytorchExporter, model.network!, recipe, { weights: checkpoint });
  };

  test("groups of weights by their rate and decay, without frozen ones", async () => {
    const { weights, notes } = await tensorsOf(
      "optimizer = adamw(lr=0.5, weight_decay=0.1)\n  no_decay = [*.bias]\n" +
        "  freeze = [half.*]\n  schedule = cosine(to=0)",
    );
    const { steps, groups } = weights.optimizer!;
    expect(steps).toBe(1);
    expect(groups).toEqual([
      {
        learningRate: 0.5,
        weightDecay: 0.1,
        names: ["features.conv1.weight", "features.batchnorm1.weight", "logits.weight"],
      },
      {
        learningRate: 0.5,
        weightDecay: 0,
        names: ["features.batchnorm1.bias", "logits.bias"],
      },
    ]);
    expect(notes).toEqual([
      "the optimizer's learning rates are those before warmup and schedule, which are left out",
    ]);
  });

  test.each(["adam(lr=2e-3)", "radam(lr=2e-3)", "adam(lr=2e-3)\n  precision = f16"])(
    "in a later stage, the steps of that stage: %s",
    async (optimizer) => {
      const stages = "freeze = [half.*]\n  unfreeze = after(1 steps, [half.*])";
      const { weights } = await tensorsOf(`optimizer = ${optimizer}\n  ${stages}`, 3);
      expect(weights.optimizer!.steps).toBe(2);
    },
  );

  test("averages go without it, and notes say why", async () => {
    const { weights, notes } = await tensorsOf(
      "optimizer = sgd(lr=0.5, momentum=0.9)\n  average = ema(0.9)",
    );
    expect(weights.optimizer).toBeUndefined();
    expect(notes.join()).toContain("the exported weights are averages, to which it does not");
  });
});

test("a file of PyTorch has the state of each weight by its number", async () => {
  const file = join(folder, "case.optimizer.pth");
  const names = ["state", "param_groups", "momentum_buffer", "param_names", "nesterov"];
  const text = specOf("optimizer = sgd(lr=0.5, momentum=0.9, nesterov=true)");
  const checkpoint = join(folder, "numbered.safetensors");
  await trained(text, checkpoint);
  expect(await exportCheckpoint(text, checkpoint)).toEqual([
    "case.pth",
    "case.optimizer.pth",
    "case.py",
  ]);
  const pickle = readFileSync(file).toString("latin1");
  for (const name of names) expect(pickle).toContain(name);
  const source = readFileSync(join(folder, "case.py"), "utf8");
  expect(source).toContain("result = torch.optim.SGD(groups");
});
