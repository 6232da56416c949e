/**
 * Each layer and each loss with what a recipe can change of a step without changing what it trains:
 * storage in 16 bits, slices of a batch, and values that are computed again. They are compared with
 * the plain step.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Graph, Port } from "../../compiler/ir/graph.js";
import { layers, type LayerDefinition, type LayerSample } from "../../compiler/layers/index.js";
import { losses } from "../../compiler/layers/scores.js";
import { compileGraph, type ProgramOptions } from "../../compiler/program.js";
import { analyze } from "../../compiler/semantics/index.js";
import type { OptimizerSettings, Target } from "../../program/program.js";
import type { MixedPrecision } from "../../program/recipe.js";
import { createNetwork, findAdapter, type NodeAdapter } from "../../runtime/index.js";
import { adapterWithHalves, sampled } from "../adapters.js";
import { boxValues, type AnyNetwork } from "../kernels/compare.js";
import { inputType, othersOf } from "../layers/others.js";
import { labelValues, parameterValues, uniformValues } from "../oracle/values.js";

/** One device for all networks: it takes as long to open as a step. */
async function deviceOf({ adapter }: NodeAdapter): Promise<GPUDevice> {
  const wanted = ["subgroups", "shader-f16"] as const;
  const requiredFeatures = wanted.filter((feature) => adapter.features.has(feature));
  return adapter.requestDevice({ requiredFeatures });
}

const device = await deviceOf(await findAdapter(process.env["NETC_ADAPTER"]));
const halves = await adapterWithHalves();
const halfDevice = halves && (await deviceOf(halves));

afterAll(() => {
  device.destroy();
  halfDevice?.destroy();
});

const EXAMPLES = 5;
const CLASSES = 3;
const STEPS = 2;

const SGD: OptimizerSettings = {
  kind: "sgd",
  learningRate: 0.05,
  momentum: 0.9,
  weightDecay: 0,
  nesterov: false,
  convention: "pytorch",
};

/** All that may be computed again is more than any memory limit asks for. */
const EVERYTHING = new Set(Array.from({ length: 1000 }, (_, id) => id));

/** SwiftShader has four lanes and no 16-bit floats. */
const WITH_HALVES: readonly Target[] = ["gpu", "lanes8"];

const HALF: MixedPrecision = { kind: "f16", lossScale: { kind: "static", scale: 256 } };

const sizeOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);

interface Trained {
  readonly losses: readonly number[];
  /** How far each parameter and each statistic moved. */
  readonly changes: ReadonlyMap<string, Float32Array>;
}

interface Variant extends Partial<ProgramOptions> {
  readonly accumulate?: number;
}

function graphOf(text: string): Graph {
  const { selected, diagnostics } = analyze(text, "pair.net");
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return selected!.model.graph!;
}

function valuesOf({ role, name, value, classes, ignore, boxClasses }: Port) {
  const length = EXAMPLES * sizeOf(value.shape.slice(1).map(Number));
  if (boxClasses !== undefined) return boxValues(`pairs/${name}`, length, boxClasses);
  if (value.type !== "u32") {
    const values = uniformValues(`pairs/${name}`, length, 1);
    return role === "input" ? values : values.map((each) => (each > 0 ? 1 : 0));
  }
  // A class for each label, and of masks a quarter that does not count.
  const labels = labelValues(`pairs/${name}`, length, classes!);
  return ignore === undefined ? labels : labels.map((own, at) => (at % 4 === 1 ? ignore : own));
}

async function open(graph: Graph, { accumulate = 1, ...options }: Variant): Promise<AnyNetwork> {
  const targets: readonly Target[] = options.precision ? WITH_HALVES : ["lanes4", ...WITH_HALVES];
  const programs = targets.map((target) => {
    const source = { file: "pair.net", hash: "0" };
    const common = { target, source, classes: CLASSES, optimizer: SGD };
    return compileGraph(graph, { ...common, ...options }).program;
  });
  const network = await createNetwork(programs, {
    batch: EXAMPLES,
    seed: 4,
    accumulate,
    device: options.precision ? halfDevice! : device,
  });
  return network as unknown as AnyNetwork;
}

/** What a network is given, by the names of its inputs or targets. */
const givenTo = (graph: Graph, role: Port["role"]) =>
  Object.fromEntries(
    graph.inputs.filter((port) => port.role === role).map((port) => [port.name, valuesOf(port)]),
  );

async function train(graph: Graph, variant: Variant): Promise<Trained> {
  const network = await open(graph, variant);
  try {
    const initial = new Map<string, Float32Array>();
    for (const { name, shape, role } of network.parameters) {
      if (role !== "statistic") await network.write(name, parameterValues(`pairs/${name}`, shape));
      initial.set(name, await network.read(name));
    }
    const images = givenTo(graph, "input") as Readonly<Record<string, Float32Array>>;
    const targets = givenTo(graph, "target");
    const losses: number[] = [];
    for (let step = 0; step < STEPS; step++) {
      const { loss } = await network.step(images, targets);
      losses.push(loss!);
    }
    const changes = new Map<string, Float32Array>();
    for (const [name, before] of initial) {
      const after = await network.read(name);
      changes.set(
        name,
        after.map((value, at) => value - before[at]!),
      );
    }
    return { losses, changes };
  } finally {
    network.destroy();
  }
}

const normOf = (values: Float32Array) =>
  Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0));

/**
 * What has no gradient, as a bias before a normalization, moves by rounding: it is compared with
 * this share of what moves most.
 */
const SHARE = 0.02;

/** Sums of slices come in another order. */
const ROUNDING = 1e-4;

/**
 * A value is wrong by 2^-11 of itself: a few layers of sums of such values come to some times that,
 * and their gradients to three times as much (test/runtime/precision.test.ts).
 */
const HALF_ROUNDING = 3 * 8 * 2 ** -11;

/** What differs by more than the tolerance, as text. */
function differences(actual: Trained, expected: Trained, tolerance: number): string {
  const wrong: string[] = [];
  const note = (name: string, difference: number, norm: number) => {
    if (difference <= tolerance * norm) return;
    wrong.push(`${name}: ${(difference / norm).toExponential(1)} of ${norm.toExponential(1)}`);
  };
  expected.losses.forEach((loss, step) =>
    note(`loss ${step}`, Math.abs(actual.losses[step]! - loss), Math.abs(loss) + 0.1),
  );
  const norms = [...expected.changes.values()].map(normOf);
  const largest = Math.max(...norms);
  for (const [name, change] of expected.changes) {
    const own = actual.changes.get(name)!;
    const difference = normOf(own.map((value, at) => value - change[at]!));
    note(name, difference, normOf(change) + SHARE * largest);
  }
  return wrong.join("\n");
}

/** What reads a sample's output: a classifier, or the loss itself. */
type End = "classified" | "compared";

const ENDS: Readonly<Record<End, string>> = {
  classified: `flatten -> linear(${CLASSES}) as logits
  loss cross_entropy(logits, label)`,
  compared: `identity as out
  loss mse(out, wanted)`,
};

/** The sample behind a layer with weights, whose gradient shows the sample's. */
function specOf(sample: LayerSample, end: End): string {
  const { spec, input, output, vocabulary } = sample;
  const [channels] = input.length === 2 ? [input[1]!] : input;
  const kind = input.length === 3 ? `conv(${channels}, kernel=1, ` : `linear(${channels}, `;
  const target =
    end === "classified"
      ? `target label: u32[N] in 0..${CLASSES}`
      : `target wanted: f32[N, ${output.join(", ")}]`;
  // With many channels, a factor for each is quicker.
  const first = `${channels! > 64 ? "scale(" : kind}bias=false) as first`;
  return `model Pair {
  input  x: ${inputType(input, vocabulary)}
  ${target}
  ${vocabulary === undefined ? first : ""}
  ${othersOf(sample, "first")}${spec}
  ${ENDS[end]}
}`;
}

const LARGE = 20_000;

/** Samples of large inputs only where a layer has no others: they show sizes, not other rules. */
function smallOf({ samples }: LayerDefinition): readonly LayerSample[] {
  const small = samples.filter(({ input }) => sizeOf(input) < LARGE);
  return small.length > 0 ? small : samples.slice(0, 1);
}

/**
 * Of each layer one whose output a loss reads itself. There are no targets of sequences, nothing is
 * trained in front of `stop`, and activations are fused into the loss, which is tested alone.
 */
const compared = layers
  .filter((layer) => layer.name !== "stop" && !("expression" in layer))
  .flatMap((layer) =>
    smallOf(layer)
      .filter(({ output }) => output.length !== 2)
      .slice(0, 1),
  );

const LOSSES = [
  "cross_entropy(logits, label, label_smoothing=0.1)",
  "cross_entropy(logits, label, class_weights=[0.5, 1, 2])",
  "cross_entropy(pixels, mask, ignore=255)",
  "cross_entropy(pixels, mask, ignore=255, class_weights=[0.5, 1, 2])",
  "focal(logits, label, gamma=1.5)",
  "focal(pixels, mask, ignore=255, class_weights=[0.5, 1, 2])",
  "dice(pixels, mask, ignore=255)",
  "mse(values, numbers)",
  "mse(picture, x)",
  "l1(values, numbers)",
  "bce_with_logits(values, numbers, pos_weight=3)",
  "bce_with_logits(values, numbers, pos_weight=[1, 3, 2.5, 0.5])",
  "bce_with_logits(picture, x, pos_weight=[0.5, 3])",
  "sigmoid_focal(picture, x)",
  "sigmoid_focal(values, numbers, gamma=0.5)",
  "yolo(cells, boxes)",
  "kl(logits, teacher, temperature=4)",
  "mean(log(1 + exp(-values * (2 * numbers - 1))))",
  "mean(abs(picture))",
  "mean(-sum(one_hot(label) * (logits - logsumexp(logits, over=channels)), over=channels))",
  "mean((sigmoid(pixels) - one_hot(mask, ignore=255))^2)",
  "mean(1 - sum(values * numbers, over=channels) / sqrt(sum(values^2, over=channels) + 1))",
  "cross_entropy(logits, label) + 0.5 * dice(pixels, mask, ignore=255)",
];

const HEADS: Readonly<Record<string, string>> = {
  logits: `global_avgpool -> flatten -> linear(${CLASSES})`,
  pixels: `conv(${CLASSES}, kernel=1)`,
  values: "global_avgpool -> flatten -> linear(4)",
  picture: "conv(2, kernel=1)",
  cells: `conv(5 + ${CLASSES}, kernel=1)`,
  teacher: `flatten -> linear(${CLASSES})`,
};
const TARGETS: Readonly<Record<string, string>> = {
  label: `u32[N] in 0..${CLASSES}`,
  mask: `u32[N, 6, 5] in 0..${CLASSES}`,
  numbers: "f32[N, 4]",
  boxes: `boxes[N, 7] in 0..${CLASSES}`,
};

function specOfLoss(loss: string): string {
  const reads = (name: string) => new RegExp(`\\b${name}\\b`).test(loss);
  const targets = Object.entries(TARGETS).filter(([name]) => reads(name));
  const heads = Object.entries(HEADS).filter(([name]) => reads(name));
  return `model Pair {
  input x: f32[N, 2, 6, 5]
  ${targets.map(([name, type]) => `target ${name}: ${type}`).join("\n  ")}
  conv(4, kernel=3, padding=1) -> tanh as first
  ${heads.map(([name, layers]) => `from first -> ${layers} as ${name}`).join("\n  ")}
  loss ${loss}
}`;
}

interface Case {
  readonly title: string;
  readonly spec: string;
  /** Whether slices train the same: those of batch normalization have their own statistics. */
  readonly slices: boolean;
}

const caseOf = (sample: LayerSample, end: End): Case => ({
  title: `${sample.spec} of ${sample.input.join(", ")}, ${end}`,
  spec: specOf(sample, end),
  slices: !sample.spec.startsWith("batchnorm"),
});

/** Of each layer one sample in one network; `npm run test:full` has all samples in both. */
const isFull = process.env["NETC_TEST_FULL"] === "1";
const chosen = layers.flatMap((layer) => smallOf(layer).slice(0, isFull ? undefined : 1));

const cases: readonly Case[] = [
  ...chosen.map((sample) => caseOf(sample, "classified")),
  ...(isFull ? compared : []).map((sample) => caseOf(sample, "compared")),
  ...LOSSES.map((title) => ({ title, spec: specOfLoss(title), slices: true })),
];

test("every loss is among the cases", () => {
  const lacking = losses.filter(({ name }) => !LOSSES.some((loss) => loss.startsWith(`${name}(`)));
  expect(lacking.map(({ name }) => name)).toEqual([]);
});

describe.each(sampled(cases, 10))("$title", ({ spec, slices }) => {
  const graph = graphOf(spec);
  const accumulate = slices ? 2 : 1;
  let plain: Trained;
  beforeAll(async () => {
    plain = await train(graph, {});
    expect(Math.max(...[...plain.changes.values()].map(normOf))).toBeGreaterThan(1e-4);
  });

  test("computed again: the same bits", async () => {
    expect(differences(await train(graph, { again: EVERYTHING }), plain, 0)).toBe("");
  });

  test.runIf(slices)("in slices: the same but for rounding", async () => {
    expect(differences(await train(graph, { accumulate }), plain, ROUNDING)).toBe("");
  });

  test.runIf(halfDevice)("in 16 bits, computed again, in slices", async () => {
    const half = await train(graph, { precision: HALF, again: EVERYTHING, accumulate });
    expect(differences(half, plain, HALF_ROUNDING)).toBe("");
  });
});
