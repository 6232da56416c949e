/** Caffe's solvers: what a recipe says of them, and what none can say. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { analyze } from "../../compiler/index.js";
import { ImportError } from "../../interchange/error.js";
import { importGraph } from "../../interchange/import-graph.js";
import { preprocessed } from "../../interchange/preprocessing.js";
import { specText } from "../../interchange/spec-text.js";
import { readForeign, sourceIn } from "./foreign-model.js";

const fixture = (name: string) =>
  readFileSync(new URL(`../fixtures/models/${name}`, import.meta.url));
const SOLVER = fixture("caffe-solver/solver.prototxt").toString();
const NETWORK = fixture("caffe-solver/train_val.prototxt").toString();
const WEIGHTS = fixture("caffe-lenet-lrn/weights.caffemodel");

interface Change {
  readonly solver?: string;
  readonly network?: string;
  readonly images?: number;
}

const encode = (text: string) => new TextEncoder().encode(text);

async function specOf({ solver = SOLVER, network = NETWORK, images = 60_000 }: Change = {}) {
  const files = {
    "solver.prototxt": encode(solver),
    "train_val.prototxt": encode(network),
    "lenet.caffemodel": new Uint8Array(WEIGHTS),
  };
  const graph = await readForeign(sourceIn(files, ["solver.prototxt", "lenet.caffemodel"]));
  const model = importGraph(preprocessed(graph, {}), { name: "LeNet", input: [1, 28, 28] });
  return specText(model, "solver.prototxt", {
    training: graph.training,
    images: images || undefined,
  });
}

/** Lines of the recipe, without spaces that align them. */
const recipeOf = (spec: string) =>
  spec
    .slice(spec.indexOf("train Base"))
    .split("\n")
    .map((line) => line.trim().replace(/\s+/g, " "));

const changed = (from: string, to: string) => {
  expect(SOLVER).toContain(from);
  return SOLVER.replace(from, to);
};

describe("a solver becomes a recipe", () => {
  test("with the network's target, loss, metrics and data", async () => {
    const spec = await specOf();
    expect(spec).toMatchSnapshot();
    const { diagnostics, selected } = analyze(spec, "solver.net");
    expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    // Its scale is 1/256, a deviation of 256/255 for netc.
    expect(diagnostics.map(({ code }) => code)).not.toContain("NET3062");
    expect(selected!.model.network!.losses).toHaveLength(1);
  });

  const policy = 'lr_policy: "inv"\ngamma: 0.0001\npower: 0.75';
  test.each([
    ['lr_policy: "fixed"', undefined],
    ['lr_policy: "step" gamma: 0.1 stepsize: 2000', "step(every=2000 steps, gamma=0.1)"],
    [
      'lr_policy: "multistep" gamma: 0.5 stepvalue: 10 stepvalue: 20',
      "multistep(at=[10 steps, 20 steps], gamma=0.5)",
    ],
    ['lr_policy: "exp" gamma: 0.999', "exponential(gamma=0.999, every=1 steps)"],
    ['lr_policy: "poly" power: 0.5', "polynomial(power=0.5)"],
  ])("%s", async (text, schedule) => {
    const lines = recipeOf(await specOf({ solver: changed(policy, text) }));
    const found = lines.find((line) => line.startsWith("schedule"));
    expect(found).toBe(schedule && `schedule = ${schedule}`);
  });

  test.each([
    [
      'type: "Nesterov"',
      "sgd(lr=0.01, momentum=0.9, weight_decay=0.0005, nesterov=true, convention=caffe)",
    ],
    ["solver_type: NESTEROV", /nesterov=true/],
    [
      'type: "Adam" momentum2: 0.99 delta: 1e-6',
      "adam(lr=0.01, beta1=0.9, beta2=0.99, eps=0.000001, weight_decay=0.0005)",
    ],
    ['type: "AdaGrad" delta: 1e-6', "adagrad(lr=0.01, eps=0.000001, weight_decay=0.0005)"],
    [
      'type: "AdaDelta" delta: 1e-6',
      "adadelta(lr=0.01, rho=0.9, eps=0.000001, weight_decay=0.0005)",
    ],
    ['type: "RMSProp" rms_decay: 0.98', /^optimizer = rmsprop\(lr=0.01, alpha=0.98, eps=1e-8/],
  ])("%s", async (text, optimizer) => {
    const lines = recipeOf(await specOf({ solver: `${SOLVER}\n${text}` }));
    const found = lines.find((line) => line.startsWith("optimizer"));
    if (typeof optimizer === "string") expect(found).toBe(`optimizer = ${optimizer}`);
    else expect(found).toMatch(optimizer);
  });

  test("weights that do not learn are frozen", async () => {
    const network = NETWORK.replace(
      /(name: "conv1".*?)param \{ lr_mult: 1 decay_mult: 1 \} param \{ lr_mult: 2/,
      "$1param { lr_mult: 0 decay_mult: 0 } param { lr_mult: 0",
    );
    const lines = recipeOf(await specOf({ network }));
    expect(lines).toContain("freeze = [conv1.weight, conv1.bias]");
  });

  test("BGR means change places with the channels", () => {
    const training = {
      iterations: 1,
      batch: 1,
      settings: [],
      accuracies: [1],
      transforms: { train: [], eval: [] },
      normalization: { mean: [1, 2, 3], scale: 1 },
      factors: new Map(),
    };
    const weight = { kind: "float", shape: [1, 3, 1, 1], values: new Float32Array(3) } as const;
    const graph = {
      name: "",
      source: "",
      inputs: [{ name: "x", shape: [undefined, 3, 1, 1] }],
      outputs: ["y"],
      nodes: [
        {
          operator: "Conv",
          name: "",
          place: "",
          inputs: ["x", "w"],
          outputs: ["y"],
          attributes: {},
        },
      ],
      constants: new Map([["w", weight]]),
      training,
    };
    const { normalization } = preprocessed(graph, { bgr: true }).training!;
    expect(normalization!.mean).toEqual([3, 2, 1]);
  });
});

describe("what no recipe can say is refused by name", () => {
  const loss = 'type: "SoftmaxWithLoss"';
  test.each<readonly [string, Change]>([
    ['type "Adamax"', { solver: `${SOLVER}\ntype: "Adamax"` }],
    ['lr_policy "sigmoid"', { solver: changed('"inv"', '"sigmoid"') }],
    ['regularization_type "L1"', { solver: `${SOLVER}\nregularization_type: "L1"` }],
    ["`max_iter`", { solver: changed("max_iter: 10000", "") }],
    ["`base_lr`", { solver: changed("base_lr: 0.01", "base_lr: 0") }],
    ["EuclideanLoss (train_val", { network: NETWORK.replace(loss, 'type: "EuclideanLoss"') }],
    ["0 losses", { network: NETWORK.replace(loss, 'type: "Silence"') }],
    ["`batch_size`", { network: NETWORK.replaceAll("batch_size: 64", "") }],
    ["names no network", { solver: changed("net:", "test_net:") }],
    ["--images", { images: 0 }],
  ])("%s", async (what, change) => {
    const error: unknown = await specOf(change).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ImportError);
    const { message, help } = error as ImportError;
    expect([message, ...help].join("\n")).toContain(what);
  });
});
