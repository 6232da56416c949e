import { portOf } from "../../compiler/ir/graph.js";
import { describe, expect, test } from "vitest";
import type { AnyNode, Graph } from "../../compiler/ir/graph.js";
import { adjustLossScale } from "../../compiler/ops/adjust-loss-scale.js";
import { chooseHalves } from "../../compiler/layout/halves.js";
import { stepGraphs } from "../../compiler/passes/step-graphs.js";
import { makeProgram, type ProgramOptions } from "../../compiler/program.js";
import { floatsOf, roundToHalf } from "../../program/half.js";
import { trainingBytes } from "../../program/planned-memory.js";
import type { MixedPrecision } from "../../program/recipe.js";
import { Chain, CONTEXT } from "./chain.js";

const DYNAMIC: MixedPrecision = {
  kind: "f16",
  lossScale: { kind: "dynamic", initial: 1024, growth: 2, backoff: 0.5, interval: 3 },
};
const STATIC: MixedPrecision = { kind: "f16", lossScale: { kind: "static", scale: 256 } };

const network = (start = first().lrn({ before: 2, after: 2 })) =>
  start.convolution(64).batchnorm().unary("relu").flatten().linear(5).bias().classify();

const first = () => new Chain(["N", 3, 16, 16]).convolution(64).bias().unary("relu");

const options = (given: Partial<ProgramOptions> = {}): ProgramOptions => ({
  target: "gpu",
  source: { file: "test.net", hash: "0" },
  classes: 5,
  optimizer: CONTEXT.optimizer,
  ...given,
});

describe("numbers of 16 bits", () => {
  test("what they represent is rounded to itself, and nothing lies between neighbors", () => {
    const all = floatsOf(Uint16Array.from({ length: 0x7c00 }, (_, bits) => bits));
    all.forEach((value, bits) => {
      if (bits === 0) return;
      const below = all[bits - 1]!;
      expect(value).toBeGreaterThan(below);
      if (bits % 97 !== 0) return;
      expect(roundToHalf(value)).toBe(value);
      const middle = (value + below) / 2;
      expect(roundToHalf(middle)).toBe(bits % 2 === 0 ? value : below);
      expect(roundToHalf(-middle * 1.000001)).toBe(-value);
    });
    expect(all.at(-1)).toBe(65504);
    expect([65519, 65520, -1e9].map(roundToHalf)).toEqual([65504, Infinity, -Infinity]);
    expect([...floatsOf(Uint16Array.of(0x7c00, 0xfc00, 0x7e00))]).toEqual([
      Infinity,
      -Infinity,
      NaN,
    ]);
  });
});

describe("what is stored in 16 bits", () => {
  const train = (precision: MixedPrecision, fusion: "all" | "none"): Graph =>
    stepGraphs(network(), { optimizer: CONTEXT.optimizer, precision, fusion }).train!;
  const kindsOf = (graph: Graph, isHalf: boolean) => {
    const half = chooseHalves(graph);
    const makes = ({ outputs }: AnyNode) => outputs.some(({ id }) => half.has(id) === isHalf);
    return new Set(graph.nodes.filter(makes).map(({ kind }) => kind));
  };

  test(
    "activations and their gradients are; " +
      "losses, statistics, squares and gradients of weights are not",
    () => {
      for (const fusion of ["all", "none"] as const) {
        const graph = train(DYNAMIC, fusion);
        const half = kindsOf(graph, true);
        expect([...half]).toEqual(
          expect.arrayContaining(["convolution", "convolutionInputGradient", "pointwise"]),
        );
        for (const kind of [
          "channelSum",
          "scaleGradient",
          "squareSum",
          "convolutionWeightGradient",
        ])
          expect(half).not.toContain(kind);
        expect(chooseHalves(graph).has(portOf(graph, "input").id)).toBe(true);
        expect(chooseHalves(graph).has(portOf(graph, "prediction").id)).toBe(false);
      }
      // The sum of squares of the local response normalization, where nothing has brought it back.
      expect(kindsOf(train(DYNAMIC, "none"), true)).not.toContain("channelWindowSum");
    },
  );

  test("halves what grows with the batch", () => {
    const bytes = (given: Partial<ProgramOptions>) => {
      const program = makeProgram(network(first()), options(given));
      const at = (batch: number) => trainingBytes(program, { batch, slices: 1 });
      return (at(512) - at(256)) / 256;
    };
    const uploaded = 4 * (3 * 16 * 16 + 1);
    const [f32, f16] = [bytes({}), bytes({ precision: STATIC })];
    expect((f16 - uploaded) / (f32 - uploaded)).toBeGreaterThan(0.49);
    // Codes of pooling, and what is next to the loss, stay what they are.
    expect((f16 - uploaded) / (f32 - uploaded)).toBeLessThan(0.6);
  });

  test("a static scale leaves updates fused; a dynamic one waits for all gradients", () => {
    const labels = (precision: MixedPrecision) =>
      makeProgram(network(), options({ precision })).steps.train.map(({ label }) => label);
    expect(labels(STATIC).some((label) => label.endsWith("norm"))).toBe(false);
    const waiting = labels(DYNAMIC);
    const scaled = waiting.lastIndexOf("loss scale");
    const first = waiting.findIndex((label) => label.endsWith("update"));
    expect(first).toBeGreaterThan(scaled);
    expect(waiting.slice(0, scaled).some((label) => label.endsWith("norm"))).toBe(true);
  });
});

test("a dynamic scale backs off where gradients are not finite and grows after good steps", () => {
  const scale = { initial: 1024, growth: 2, backoff: 0.5, interval: 3 };
  const rule = { ...scale, clipsNorm: false, isStatic: false };
  const state = { shape: [8], data: Float64Array.of(1024, 0, 1, 1, 0, 0, 0, 0) };
  const optimizer = { ...CONTEXT.optimizer, kind: "adam", beta1: 0.9, beta2: 0.99, epsilon: 1e-8 };
  const step = (squares: number) => {
    const inputs = [state, { shape: [1], data: Float64Array.of(squares) }];
    const given = { ...CONTEXT, optimizer: optimizer as ProgramOptions["optimizer"] };
    const [applied] = adjustLossScale.reference(inputs, rule, given, []);
    return Array.from(applied!.data);
  };
  expect(step(4)).toEqual([1 / 1024, 1 - 0.9, 1 - 0.99, 0]);
  for (const overflow of [NaN, Infinity]) expect(step(overflow)[0]).toBe(0);
  expect([...state.data.slice(0, 6)]).toEqual([256, 0, 0.9, 0.99, 0, 2]);
  for (let good = 0; good < 3; good++) expect(step(1)[0]).toBe(1 / 256);
  expect(state.data[0]).toBe(512);
  expect(state.data[1]).toBe(0);
  expect(step(1)[1]).toBeCloseTo(1 - 0.9 ** 5, 12);
});
