import { portOf } from "../../compiler/ir/graph.js";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { layers } from "../../compiler/layers/index.js";
import { analyze } from "../../compiler/semantics/index.js";
import { inputType, othersOf } from "./others.js";
import { casesOf } from "../counts.js";

function analyzeChain(chain: string, input: readonly number[], vocabulary?: number) {
  const text = `model M {\n  input x: ${inputType(input, vocabulary)}\n  ${chain}\n}`;
  return analyze(text, "m.net");
}

describe("every layer", () => {
  const samples = layers.flatMap(({ name, samples }) =>
    samples.map((sample) => ({ name, ...sample })),
  );

  test.each(samples)("$spec of $input gives $output", (sample) => {
    const { name, spec, input, output, vocabulary } = sample;
    const { diagnostics, models } = analyzeChain(othersOf(sample, "x") + spec, input, vocabulary);
    expect(diagnostics).toEqual([]);
    expect(models[0]!.layers.at(-1)!.output).toEqual(output);
    // Inside, a signal is an image of one row.
    const stored = name === "signal" ? [output[0], 1, output[1]] : output;
    expect(portOf(models[0]!.graph!, "prediction").shape).toEqual(["N", ...stored]);
  });

  test.each(layers.map((layer) => [layer.name, layer] as const))("%s is documented", (_, layer) => {
    expect(layer.samples.length).toBeGreaterThan(0);
    expect(layer.summary.length).toBeGreaterThan(5);
    expect(layer.documentation.trim().length).toBeGreaterThan(40);
    for (const { meaning } of Object.values(layer.arguments)) expect(meaning).not.toBe("");
    for (const name of layer.positional) expect(Object.keys(layer.arguments)).toContain(name);
  });

  // Joins need several branches, which the networks of test/parity have; these are drawn at random.
  const drawn = ["dropout", "stochastic_depth"];
  const alone = layers.filter(({ name, others }) => !others && !drawn.includes(name));
  test.each(alone.map(({ name }) => name))("%s is compared with PyTorch's", (name) => {
    const cases = ["layers", "signals"].flatMap((file) => {
      const url = new URL(`../oracle/expected/${file}.json`, import.meta.url);
      return JSON.parse(readFileSync(url, "utf8")) as { readonly layer: string }[];
    });
    const isCompared = cases.some(({ layer }) => new RegExp(`\\b${name}\\b`).test(layer));
    expect(isCompared, `layer_cases in test/oracle/make_expected.py lacks ${name}`).toBe(true);
  });

  test("names and aliases are unique", () => {
    const names = layers.flatMap(({ name, aliases }) => [name, ...aliases]);
    expect(new Set(names).size).toBe(names.length);
  });
});

test("a layer that is warned of is there all the same", () => {
  const { models, diagnostics } = analyzeChain("batchnorm(momentum=0.99) as bn", [6, 2, 2]);
  expect(diagnostics.map(({ code, severity }) => [code, severity])).toEqual([
    ["NET2042", "warning"],
  ]);
  expect(models[0]!.graph).toBeDefined();
  // Running statistics are not parameters in this sum.
  expect(models[0]!.layers[0]).toMatchObject({ output: [6, 2, 2], parameters: 12 });
});

// PyTorch's formulas, from its documentation, written down a second time.
const windowed = (size: number, kernel: number, stride: number, pads: number, dilation = 1) =>
  Math.floor((size + pads - dilation * (kernel - 1) - 1) / stride + 1);

function pooled(size: number, kernel: number, stride: number, padding: number, ceil: boolean) {
  const exact = (size + 2 * padding - kernel) / stride + 1;
  const windows = ceil ? Math.ceil(exact) : Math.floor(exact);
  return ceil && (windows - 1) * stride >= size + padding ? windows - 1 : windows;
}

const small = fc.integer({ min: 1, max: 5 });

describe("shapes agree with PyTorch's formulas", () => {
  test("conv", () => {
    const geometry = fc.record({
      size: fc.integer({ min: 1, max: 40 }),
      kernel: small,
      stride: small,
      dilation: fc.integer({ min: 1, max: 3 }),
      before: fc.nat(3),
      after: fc.nat(3),
    });
    fc.assert(
      fc.property(geometry, ({ size, kernel, stride, dilation, before, after }) => {
        const padding = `[${before}, ${after}, 0, 1]`;
        const spec =
          `conv(2, kernel=[${kernel}, 1], stride=[${stride}, ` +
          `2], dilation=${dilation}, padding=${padding})`;
        const { models, diagnostics } = analyzeChain(spec, [3, size, 9]);
        const rows = windowed(size, kernel, stride, before + after, dilation);
        if (rows < 1) {
          expect(diagnostics.map(({ code }) => code)).toEqual(["NET2004"]);
          return;
        }
        expect(models[0]!.layers[0]!.output).toEqual([2, rows, 5]);
        expect(portOf(models[0]!.graph!, "prediction").shape).toEqual(["N", 2, rows, 5]);
      }),
      { seed: 1, numRuns: casesOf(200) },
    );
  });

  test.each(["maxpool", "avgpool"])("%s", (layer) => {
    const geometry = fc.record({
      size: fc.integer({ min: 1, max: 30 }),
      kernel: small,
      stride: small,
      share: fc.integer({ min: 0, max: 2 }),
      ceil: fc.boolean(),
    });
    fc.assert(
      fc.property(geometry, ({ size, kernel, stride, share, ceil }) => {
        const padding = Math.min(share, Math.floor(kernel / 2));
        const spec = `${layer}(${kernel}, stride=${stride}, padding=${padding}, ceil=${ceil})`;
        const { models, diagnostics } = analyzeChain(spec, [3, size, size]);
        const side = pooled(size, kernel, stride, padding, ceil);
        if (side < 1) {
          expect(diagnostics.map(({ code }) => code)).toEqual(["NET2004"]);
          return;
        }
        expect(models[0]!.layers[0]!.output).toEqual([3, side, side]);
        // The op knows no `ceil`: it must come to the same size by the padding that the layer adds.
        expect(portOf(models[0]!.graph!, "prediction").shape).toEqual(["N", 3, side, side]);
      }),
      { seed: 2, numRuns: casesOf(300) },
    );
  });

  test("random chains: what is inferred is what the ops compute", () => {
    const layer = fc.oneof(
      fc
        .tuple(small, small, fc.nat(2))
        .map(([out, k, p]) => `conv(${out}, kernel=${k}, padding=${p})`),
      fc.tuple(small, small).map(([k, s]) => `maxpool(${k}, stride=${s}, ceil=true)`),
      small.map((k) => `avgpool(${k})`),
      small.map((size) => `adaptive_avgpool(${size})`),
      fc.constantFrom("relu", "tanh", "lrn(3)", "dropout(0.5)", "softmax", "sigmoid"),
    );
    fc.assert(
      fc.property(fc.array(layer, { minLength: 1, maxLength: 6 }), (chain) => {
        const { models, diagnostics } = analyzeChain(
          `${chain.join(" -> ")} -> flatten -> linear(3)`,
          [2, 17, 13],
        );
        const [model] = models;
        if (!model!.graph) {
          const errors = diagnostics.filter(({ severity }) => severity === "error");
          expect(errors[0]!.code).toBe("NET2004");
          return;
        }
        for (const { name, output } of model!.layers) {
          const node = model!.graph.nodes.findLast(({ origin }) => origin.name === name);
          if (node) expect(node.outputs[0]!.shape).toEqual(["N", ...output!]);
        }
      }),
      { seed: 3, numRuns: casesOf(200) },
    );
  });
});

describe("initial values", () => {
  const initializerOf = (init: string, layer = "conv(8, kernel=3, groups=2") => {
    const { models } = analyzeChain(`${layer}, init=${init})`, [4, 8, 8]);
    return models[0]!.graph!.parameters[0]!.initializer;
  };

  test("follow PyTorch's formulas, fans counted per group", () => {
    const fanIn = 2 * 9;
    const fanOut = 8 * 9;
    const close = (value: number) => expect.closeTo(value, 12);
    const bound = (value: number) => ({ kind: "uniform", low: close(-value), high: close(value) });
    const normal = (deviation: number) => ({
      kind: "normal",
      mean: 0,
      deviation: close(deviation),
    });
    expect(initializerOf("default")).toEqual(bound(1 / Math.sqrt(fanIn)));
    expect(initializerOf("kaiming")).toEqual(normal(Math.sqrt(2 / fanIn)));
    expect(initializerOf("kaiming(mode=fan_out, distribution=uniform)")).toEqual(
      bound(Math.sqrt(6 / fanOut)),
    );
    expect(initializerOf("xavier")).toEqual(bound(Math.sqrt(6 / (fanIn + fanOut))));
    expect(initializerOf("xavier(distribution=normal, gain=2)")).toEqual(
      normal(2 * Math.sqrt(2 / (fanIn + fanOut))),
    );
    expect(initializerOf("normal(0.01)")).toEqual(normal(0.01));
    expect(initializerOf("uniform(0.5)")).toEqual(bound(0.5));
    expect(initializerOf("constant(3)")).toEqual({ kind: "constant", value: 3 });
  });
});
