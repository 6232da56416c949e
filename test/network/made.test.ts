import { classesOf } from "../../program/tensors.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compile, compileNetwork } from "../../compiler/index.js";
import { build } from "../../compiler/network/build.js";
import { NetworkMaker } from "../../compiler/network/maker.js";
import { outlineOf } from "../../compiler/network/outline.js";
import { print } from "../../compiler/network/print.js";
import type { NetworkValue, ResolvedNetwork } from "../../compiler/network/resolved.js";
import { verify } from "../../compiler/ops/verify.js";
import { expectRoundTrip, networksOf } from "./round-trip.js";
import { callsOf } from "../work.js";
import { casesOf } from "../counts.js";

/** Two branches that join, a section in a section, an unnamed layer, and a loss of two terms. */
function twoWays(): ResolvedNetwork {
  const maker = new NetworkMaker("TwoWays");
  const image = maker.input("image", [3, 8, 8]);
  const label = maker.labels("label", 5);
  const settings = { out: 8, kernel: [3, 3], padding: { top: 1, bottom: 1, left: 1, right: 1 } };
  const init = { name: "normal", values: { std: 0.02, mean: 0 } };
  const conv = maker.layer("stem.conv", "conv", [image], { ...settings, init, lr: 0.5 });
  const relu = maker.layer("stem.act.relu1", "relu", [conv]);
  const way = maker.layer("way", "conv", [relu], { ...settings, bias: false });
  const sum = maker.layer("sum", "add", [way, relu]);
  const both = maker.layer("both", "concat", [sum, conv, way]);
  const flat = maker.layer("flatten1", "flatten", [both]);
  const early = maker.layer("early", "linear", [flat], { out: 5, decay: 0 });
  const dropped = maker.layer("dropout1", "dropout", [flat], { rate: 0.25 });
  const logits = maker.layer("logits", "linear", [dropped], { out: 5 });
  const terms = { label_smoothing: 0.1, class_weights: [1, 2, 1, 1, 0.5] };
  maker.loss("cross_entropy", { prediction: logits, target: label }, terms);
  maker.loss("cross_entropy", { prediction: early, target: label }, {}, 0.3);
  maker.metric("top1", "accuracy", { prediction: logits, target: label });
  maker.metric("top3", "accuracy", { prediction: logits, target: label }, { k: 3 });
  return maker.finish();
}

describe("a network without a text", () => {
  test("compiles to the program of the spec that it prints", () => {
    const network = twoWays();
    verify(build(network));
    const made = compileNetwork(network, { file: "made.net", target: "gpu" });
    const spec = compile(print(network), { file: "made.net", target: "gpu" });
    expect(spec.diagnostics).toEqual([]);
    expect(made.module).not.toBe("");
    const facts = ({ program }: typeof made) => {
      const { buffers, parameters, kernels, tensors, fractions, metrics } = program!;
      const weights = parameters.map(({ name, shape, initializer }) => ({
        name,
        shape,
        initializer,
      }));
      const sizes = buffers.map(({ purpose, bytes }) => ({ purpose, bytes }));
      const texts = kernels.map(({ wgsl }) => wgsl.replace(/^\/\/ .*\n/gm, ""));
      return { sizes, weights, texts, tensors, fractions, metrics };
    };
    expect(facts(made)).toEqual(facts(spec));
    expect(classesOf(made.program!)).toBe(5);
    expect(made.program!.fractions).toEqual(["top1", "top3"]);
  });

  test("prints as a spec that resolves to it", () => {
    expectRoundTrip(twoWays());
    const terms =
      "cross_entropy(logits, label, label_smoothing=0.1, class_weights=[1, 2, 1, 1, 0.5])";
    expect(print(twoWays())).toBe(`model TwoWays {
  input  image: f32[N, 3, 8, 8]
  target label: u32[N] in 0..5

  stem {
    conv(8, kernel=3, padding=1, init=normal(0.02), lr=0.5) as conv
    act {
      relu
    }
  }
  conv(8, kernel=3, padding=1, bias=false) as way -> add(stem.act.relu1) as sum
  concat(stem.conv, way) as both -> flatten
  linear(5, decay=0) as early
  from flatten1 -> dropout(0.25)
  linear(5) as logits

  loss   ${terms} + 0.3 * cross_entropy(early, label)
  metric top1 = accuracy(logits, label)
  metric top3 = accuracy(logits, label, k=3)
}
`);
  });

  test("has sections as groups, and says what it gives", () => {
    const { groups, outputs } = twoWays();
    expect(groups.map(({ name, parent }) => [name, parent])).toEqual([
      ["stem", undefined],
      ["stem.act", 0],
    ]);
    expect(outputs).toMatchObject([{ name: "logits", gives: "logits" }]);
  });

  test("is refused with the layer's own reason", () => {
    const maker = new NetworkMaker("M");
    const image = maker.input("image", [3, 8, 8]);
    expect(() => maker.layer("fc", "linear", [image], { out: 5 })).toThrow(
      "`fc` of [N, 3, 8, 8]: linear needs",
    );
    expect(() => maker.layer("c", "conv", [image], { out: 5 })).toThrow("`conv` needs `kernel`");
    expect(() => maker.layer("c", "conv", [image], { outs: 5 })).toThrow("no argument `outs`");
    expect(() => maker.layer("c", "convolve", [image])).toThrow("no layer `convolve`");
  });
});

/** Two images through one tower, and two targets. */
function twoImages(): ResolvedNetwork {
  const maker = new NetworkMaker("Pairs");
  const images = ["left", "right"].map((name) => maker.input(name, [3, 8, 8]));
  const [same, shift] = [maker.labels("same", 2), maker.numbers("shift", [2])];
  const settings = { out: 4, kernel: [3, 3], padding: { top: 1, bottom: 1, left: 1, right: 1 } };
  const seen = images.map((image, index) => {
    const use = ["a", "b"][index]!;
    const conv = maker.layer(`${use}.conv1`, "conv", [image], settings, "tower.conv1");
    return maker.layer(`${use}.flatten1`, "flatten", [conv], {}, "tower.flatten1");
  });
  const both = maker.layer("both", "concat", seen);
  const logits = maker.layer("logits", "linear", [both], { out: 2 });
  const moved = maker.layer("moved", "linear", [both], { out: 2 });
  maker.loss("cross_entropy", { prediction: logits, target: same });
  maker.loss("mse", { prediction: moved, target: shift }, {}, 0.5);
  return maker.finish();
}

describe("a network of several inputs with shared weights, without a text", () => {
  test("prints as a spec that resolves to it", () => {
    expectRoundTrip(twoImages());
    expect(print(twoImages())).toContain("share tower {");
  });

  test("compiles to the program of the spec that it prints", () => {
    const network = twoImages();
    verify(build(network));
    const options = { file: "pairs.net", target: "gpu" } as const;
    const made = compileNetwork(network, options).program!;
    const read = compile(print(network), options).program!;
    const names = ({ parameters }: typeof made) => parameters.map(({ name }) => name);
    expect(names(made)).toEqual([
      ...["tower.conv1.weight", "tower.conv1.bias"],
      ...["logits.weight", "logits.bias", "moved.weight", "moved.bias"],
    ]);
    expect(names(read)).toEqual(names(made));
    expect(read.tensors).toEqual(made.tensors);
    expect(made.tensors.flatMap(({ gives }) => gives ?? [])).toEqual(["logits", "values"]);
    const steps = ({ steps: { train } }: typeof made) => train.map(({ label }) => label);
    expect(steps(read)).toEqual(steps(made));
  });
});

describe("what a spec cannot say is an error", () => {
  const chain = (...names: readonly string[]) => {
    const maker = new NetworkMaker("M");
    let value: NetworkValue = maker.input("image", [4]);
    for (const name of names) value = maker.layer(name, "relu", [value]);
    return maker.finish();
  };

  test.each([
    [["a-b"], "`a-b` cannot be a name"],
    [["model"], "`model` cannot be a name"],
    [["residual.a"], "`residual` is a word of the language"],
    [["a.x", "b.y", "a.z"], "`a` is there twice"],
    [["a", "a"], "`a` is there twice"],
  ])("%j", (names, message) => {
    expect(() => print(chain(...names))).toThrow(message);
  });

  test("an input that nothing reads", () => {
    const maker = new NetworkMaker("M");
    maker.layer("a", "relu", [maker.input("left", [4])]);
    maker.input("right", [4]);
    expect(() => print(maker.finish())).toThrow("nothing in M reads the input `right`");
  });
});

const KINDS = ["relu", "conv", "batchnorm", "add", "concat", "dropout", "maxpool"] as const;
const step = fc.record({
  kind: fc.constantFrom(...KINDS),
  input: fc.nat(20),
  other: fc.nat(20),
  section: fc.constantFrom("", "a", "a.b", "c"),
  isNamed: fc.boolean(),
  isDefault: fc.boolean(),
});

/** A network of these layers; those of a section come next to each other. */
function randomNetwork(steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T : never)[]) {
  const maker = new NetworkMaker("Random");
  const values = [maker.input("image", [4, 6, 6])];
  const target = maker.labels("label");
  const order = ["", "a", "a.b", "c"];
  const sorted = steps.toSorted((a, b) => order.indexOf(a.section) - order.indexOf(b.section));
  for (const [index, { kind, input, other, section, isNamed, isDefault }] of sorted.entries()) {
    const own = isNamed ? `x${index}` : `${kind}${index + 1}`;
    const name = section ? `${section}.${own}` : own;
    const first = values[input % values.length]!;
    const square = { top: 1, bottom: 1, left: 1, right: 1 };
    const given = {
      relu: {},
      add: {},
      concat: {},
      dropout: { rate: isDefault ? 0.5 : 0.25 },
      conv: { out: 4, kernel: [3, 3], padding: square, groups: isDefault ? 1 : 2, bias: isDefault },
      batchnorm: isDefault ? {} : { eps: 1e-7, momentum: 0.01 },
      maxpool: { kernel: [3, 3], stride: [1, 1], padding: square },
    }[kind];
    const joins = kind === "add" ? [first, values[other % values.length]!] : [first];
    // A concat of several would need channels that agree further down: one way passes its value on.
    values.push(maker.layer(name, kind, joins, given));
  }
  const flat = maker.layer("flat", "flatten", [values.at(-1)!]);
  const prediction = maker.layer("logits", "linear", [flat], { out: 3 });
  maker.loss("cross_entropy", { prediction, target }, {}, 0.25);
  return maker.finish();
}

test("random networks resolve to what they print", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), (steps) => {
      expectRoundTrip(randomNetwork(steps));
    }),
    { seed: 8, numRuns: casesOf(60) },
  );
});

test("an outline tells arguments, names and ports apart", () => {
  const network = twoWays();
  const { layers, targets } = network;
  const changed = (change: Partial<ResolvedNetwork>) => outlineOf({ ...network, ...change });
  const [first, ...rest] = layers;
  const other = { ...first!, values: { ...first!.values, lr: 1 } };
  expect(changed({ layers: [other, ...rest] })).not.toEqual(outlineOf(network));
  expect(changed({ targets: [{ ...targets[0]!, classes: 6 }] })).not.toEqual(outlineOf(network));
  expect(changed({})).toEqual(outlineOf(network));
  expect(networksOf(print(network)).map(outlineOf)).toEqual([outlineOf(network)]);
});

test("each layer of a deep network is made with the same work", async () => {
  const make = (count: number) => () => {
    const maker = new NetworkMaker("Deep");
    let value = maker.input("image", [3, 8, 8]);
    for (let index = 0; index < count; index++) {
      value = maker.layer(`block${index}.conv`, "conv", [value], { out: 3, kernel: [1, 1] });
    }
    return maker;
  };
  const callsPerLayer = async (count: number) => (await callsOf(make(count))) / count;
  await callsPerLayer(10);
  const few = await callsPerLayer(50);
  expect(few).toBeGreaterThan(10);
  expect(await callsPerLayer(200)).toBeLessThanOrEqual(1.05 * few);
});
