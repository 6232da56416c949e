import { describe, expect, test } from "vitest";
import {
  add,
  binary,
  channel,
  constant,
  multiply,
  operand,
  subtract,
  unary,
} from "../../compiler/ir/expression.js";
import type { Graph } from "../../compiler/ir/graph.js";
import { trainedParameters } from "../../compiler/ir/fusion.js";
import { verify } from "../../compiler/ops/verify.js";
import { ops } from "../../compiler/ops/index.js";
import { differentiate } from "../../compiler/passes/differentiate.js";
import { Chain } from "./chain.js";
import { losses } from "../../compiler/layers/scores.js";
import { gradientError } from "./gradients.js";

const SQUARE = { top: 1, bottom: 1, left: 1, right: 1 };
const start = () => new Chain().convolution(4).bias();
/** Values well above 0, for operators that are only defined there. */
const positive = () =>
  start()
    .unary("sigmoid")
    .pointwise(add(operand(0), constant(0.5)));
/** Five tokens of six channels. */
const sequence = () => new Chain(["N", 5, 6]).linear(6).bias();
const TRANSPOSED = { shape: ["N", 6, 5], start: 0, strides: [1, 6] } as const;
const positiveOperand = (chain: Chain) => chain.parameter("other", [4], { trainable: true });
const shifted = add(unary("sigmoid", channel(1)), constant(0.5));

/** One network for each thing that has a gradient. */
const networks: Readonly<Record<string, () => Graph>> = {
  convolution: () => start().convolution(3).classify(),
  "convolution with stride and padding": () =>
    start()
      .convolution(3, { stride: [2, 3], padding: { ...SQUARE, right: 2 } })
      .classify(),
  "convolution with dilation": () =>
    start()
      .convolution(3, { kernel: [2, 2], dilation: [2, 3] })
      .classify(),
  "convolution with groups": () => start().convolution(6, { groups: 2 }).classify(),
  relu: () => start().unary("relu").classify(),
  sigmoid: () => start().unary("sigmoid").classify(),
  tanh: () => start().unary("tanh").classify(),
  exp: () => start().unary("exp").classify(),
  negate: () => start().unary("negate").classify(),
  log: () => positive().unary("log").classify(),
  sqrt: () => positive().unary("sqrt").classify(),
  "a nested expression": () =>
    start()
      .pointwise(unary("tanh", unary("relu", add(operand(0), constant(0.1)))))
      .classify(),
  ...Object.fromEntries(
    (["subtract", "multiply", "divide", "maximum", "minimum", "power"] as const).map((operator) => [
      operator,
      () => {
        const chain = positive();
        return chain
          .pointwise(binary(operator, operand(0), shifted), positiveOperand(chain))
          .classify();
      },
    ]),
  ),
  "a scale per channel": () => {
    const chain = start();
    const scale = chain.parameter("scale", [4], { trainable: true });
    return chain.pointwise(multiply(operand(0), channel(1)), scale).classify();
  },
  dropout: () => start().unary("relu").dropout(0.4).classify(),
  "dropout of channels": () => start().unary("relu").dropout(0.4, "channel").classify(),
  "stochastic depth": () => start().unary("relu").dropout(0.4, "example").classify(),
  "a value used twice": () => {
    const chain = start().unary("tanh");
    const first = chain.value;
    return chain
      .convolution(4, { padding: SQUARE })
      .pointwise(subtract(operand(0), operand(1)), first)
      .classify();
  },
  maxPool: () => start().maxPool().classify(),
  "maxPool that overlaps": () =>
    start()
      .maxPool({ kernel: [3, 3], stride: [1, 2], padding: { ...SQUARE, top: 0 } })
      .classify(),
  maxUnpool: () => start().maxUnpool().classify(),
  "maxUnpool with padding": () =>
    start()
      .maxUnpool({ kernel: [2, 1], stride: [3, 2], padding: { ...SQUARE, top: 0 } })
      .classify(),
  averagePool: () =>
    start()
      .averagePool({
        windows: "sliding",
        kernel: [3, 3],
        stride: [2, 2],
        padding: { ...SQUARE, bottom: 2 },
        countPadding: true,
        overhang: { bottom: 1, right: 0 },
      })
      .classify(),
  "adaptive averagePool": () =>
    start()
      .averagePool({ windows: "adaptive", outputSize: [3, 2] })
      .classify(),
  "local response normalization": () => start().lrn({ before: 2, after: 1 }).classify(),
  normalize: () => start().batchnorm().unary("tanh").classify(),
  "normalize without weights": () => start().batchnorm({ affine: false }).unary("tanh").classify(),
  "normalize of the images": () => new Chain().batchnorm().convolution(3).classify(),
  "normalize of features": () => start().flatten().linear(6).batchnorm().unary("tanh").classify(),
  groupNormalize: () => start().groupNormalize(2, "together").unary("tanh").classify(),
  "groupNormalize at each pixel": () => start().groupNormalize(1, "apart").unary("tanh").classify(),
  softmax: () => start().softmax().classify(),
  concatenate: () => {
    const chain = start();
    const { value } = chain;
    return chain
      .unary("tanh")
      .convolution(3, { padding: SQUARE })
      .concatenate(value, value)
      .classify();
  },
  "rearrange: transposed axes": () =>
    sequence().rearrange(TRANSPOSED).linear(3).flatten().classify(),
  "rearrange: some tokens": () =>
    sequence()
      .rearrange({ shape: ["N", 2, 6], start: 12, strides: [12, 1] })
      .linear(3)
      .flatten()
      .classify(),
  "rearrange: finer axes": () =>
    start()
      .rearrange({
        shape: ["N", 1, 8, 8],
        start: 0,
        sizes: [1, 4, 2, 4, 2],
        strides: [64, 4, 32, 1, 16],
      })
      .unary("tanh")
      .convolution(3)
      .classify(),
  "reduce: a sum along rows": () =>
    start()
      .unary("tanh")
      .reduce({ by: "sum", axes: ["rows"] })
      .unary("tanh")
      .classify(),
  "reduce: the largest of channels and columns": () =>
    start()
      .reduce({ by: "max", axes: ["channels", "columns"] })
      .unary("tanh")
      .classify(),
  "reduce: logsumexp of tokens": () =>
    sequence()
      .reduce({ by: "logsumexp", axes: ["columns"] })
      .linear(3)
      .flatten()
      .classify(),
  "attention of two heads": () =>
    sequence()
      .linear(12)
      .bias()
      .attention({ heads: 2, causal: false, scale: 0.6 })
      .flatten()
      .classify(),
  "matmul, and with the transpose": () => {
    const chain = sequence().unary("tanh");
    const first = chain.value;
    return chain
      .matmul(first, { transposed: true })
      .matmul(first, { transposed: false })
      .classify();
  },
  "rows of a table by tokens": () => new Chain().embedding(3, 6).unary("tanh").flatten().classify(),
  "causal attention": () =>
    sequence()
      .linear(9)
      .attention({ heads: 3, causal: true, scale: 1.3 })
      .unary("tanh")
      .flatten()
      .classify(),
  "attention that drops shares": () =>
    sequence()
      .linear(12)
      .attention({ heads: 2, causal: true, scale: 0.6, dropout: { rate: 0.3, stream: 5 } })
      .flatten()
      .classify(),
  "attention in windows that drops shares": () =>
    new Chain(["N", 2, 4, 6])
      .convolution(6, { kernel: [1, 1] })
      .windows({
        heads: 1,
        causal: false,
        scale: 0.5,
        window: { size: [2, 3], shift: [1, 2] },
        dropout: { rate: 0.3, stream: 5 },
      })
      .classify(),
  "attention in shifted windows": () =>
    new Chain(["N", 2, 4, 6])
      .convolution(12, { kernel: [1, 1] })
      .windows({ heads: 2, causal: false, scale: 1.7, window: { size: [2, 3], shift: [1, 2] } })
      .unary("tanh")
      .classify(),
  "tokens for all examples, before others": () =>
    sequence().prepend(2).unary("tanh").linear(3).flatten().classify(),
  ...Object.fromEntries(
    (["reflect", "replicate", "circular"] as const).map((mode) => [
      `pixels around the image, ${mode}`,
      () => start().extend({ padding: SQUARE, mode, value: 0 }).unary("tanh").classify(),
    ]),
  ),
  reshape: () => start().flatten().linear(8).bias().unary("tanh").classify(),
  "no smoothing": () => start().classify({ smoothing: 0 }),
  "transposed convolution": () =>
    start()
      .transposed(3, [9, 12], { stride: [2, 3], padding: SQUARE, kernel: [4, 4] })
      .unary("tanh")
      .classify(),
  "transposed convolution with groups": () =>
    start().transposed(6, [6, 6], { groups: 2 }).unary("tanh").classify(),
  "resample to the nearest": () =>
    start()
      .resample({ outputSize: [7, 3], mode: "nearest", alignCorners: false })
      .unary("tanh")
      .classify(),
  "resample between pixels": () =>
    start()
      .resample({ outputSize: [9, 3], mode: "bilinear", alignCorners: false })
      .unary("tanh")
      .classify(),
  "resample with corners aligned": () =>
    start()
      .resample({ outputSize: [3, 9], mode: "bilinear", alignCorners: true })
      .unary("tanh")
      .classify(),
  ...Object.fromEntries(
    losses
      .filter(({ against }) => against === "values")
      .map((loss) => [
        `a sum of ${loss.name}`,
        () => {
          const chain = new Chain().convolution(2, { padding: SQUARE });
          const early = chain.value;
          return chain.unary("tanh").convolution(2, { padding: SQUARE }).reconstruct(early, loss);
        },
      ]),
  ),
};

describe("gradients agree with finite differences", () => {
  test.each(Object.entries(networks))("%s", (_, build) => {
    const forward = build();
    verify(differentiate(forward));
    expect(gradientError(forward)).toBeLessThan(1e-8);
  });

  test("every op that has a gradient is among them", () => {
    const covered = new Set([
      ...Object.values(networks).flatMap((build) => build().nodes.map(({ kind }) => kind)),
      "diceSums" as const, // test/ops/dice.test.ts
    ]);
    const missing = Object.entries(ops).filter(
      ([kind, definition]) => "gradient" in definition && !covered.has(kind as never),
    );
    expect(missing.map(([kind]) => kind)).toEqual([]);
  });
});

const kindsOf = (graph: Graph) => graph.nodes.map(({ kind }) => kind);

describe("the training graph", () => {
  test("has no gradient of the images", () => {
    const kinds = kindsOf(differentiate(new Chain().convolution(4).classify()));
    // One for the classifier; none for the convolution that reads the images.
    expect(kinds.filter((kind) => kind === "convolutionInputGradient")).toHaveLength(1);
  });

  test("has nothing for frozen parameters and below them", () => {
    const chain = new Chain().convolution(4, { trainable: false }).unary("relu");
    const training = differentiate(chain.classify());
    expect(kindsOf(training)).not.toContain("convolutionInputGradient");
    expect(trainedParameters(training).map(({ parameter }) => parameter.name)).toEqual([
      "linear4.weight",
    ]);
  });

  test("passes gradients through a frozen layer to those below", () => {
    const chain = new Chain().convolution(4).convolution(4, { trainable: false });
    expect(gradientError(chain.classify())).toBeLessThan(1e-8);
  });

  test("updates each parameter as soon as nothing reads it any more", () => {
    const { nodes } = differentiate(start().unary("relu").convolution(3).classify());
    for (const [index, node] of nodes.entries()) {
      if (node.kind !== "update") continue;
      const [w, dw] = node.inputs;
      const others = nodes.filter((other) => other.kind !== "update");
      const last = others.findLast(
        ({ inputs, outputs }) => inputs.includes(w!) || outputs.includes(dw!),
      );
      const between = nodes.slice(nodes.indexOf(last!) + 1, index);
      expect(between.every(({ kind }) => kind === "update")).toBe(true);
    }
  });

  test("asks relu's gradient of its output, so that its input need not be kept", () => {
    const chain = start();
    const before = chain.value;
    const training = differentiate(chain.unary("relu").classify());
    const readers = training.nodes.filter(({ inputs }) => inputs.includes(before));
    expect(readers.map(({ kind }) => kind)).toEqual(["pointwise"]);
  });

  test("needs a loss", () => {
    const graph = { ...start().classify(), metrics: [] };
    expect(() => differentiate(graph)).toThrow("test has no loss to train on");
  });
});
