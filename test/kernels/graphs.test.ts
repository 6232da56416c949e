import { describe, expect, test } from "vitest";
import type { Graph } from "../../compiler/ir/graph.js";
import { analyze } from "../../compiler/semantics/index.js";
import { runsAllVariants } from "../adapters.js";
import { compare, worst } from "./compare.js";

/**
 * Sums in f32 in another order than the reference's doubles: 1e-5 of a tensor's norm is a few units
 * of the last place.
 */
const TOLERANCE = 1e-5;

function graphOf(body: string, input = "3, 9, 9"): Graph {
  const text = `
    block stage(out: int, stride: int = 1) {
      residual {
        conv(out, kernel=3, stride=stride, padding=1) -> relu
        conv(out, kernel=3, padding=1)
      } skip { conv(out, kernel=1, stride=stride) }
      relu
    }
    model M {
      input image: f32[N, ${input}]
      target label: u32[N] in 0..4
      ${body}
      sigmoid -> flatten -> linear(4) as logits
      loss cross_entropy(logits, label)
    }`;
  const { diagnostics, selected } = analyze(text, "m.net");
  const unused = diagnostics.filter(({ code }) => code !== "NET1025");
  if (!selected?.model.graph) throw new Error(unused.map(({ message }) => message).join("\n"));
  return selected.model.graph;
}

const CASES: Record<string, string> = {
  "a residual":
    "conv(8, kernel=3, padding=1) -> relu\n" +
    "residual { conv(8, kernel=3, padding=1) -> relu -> conv(8, kernel=1) } -> relu",
  "residuals with strided skips": "stage(8)\nstage(12, stride=2)\nstage(12)",
  "a residual around a pool":
    "conv(6, kernel=1) -> residual { maxpool(3, stride=1, padding=1) -> relu }",
  "a value that strided and unstrided convolutions read": `
    conv(8, kernel=3, padding=1) as stem -> conv(8, kernel=3, stride=2, padding=1) as left
    from stem -> conv(8, kernel=3, stride=3, padding=1) -> flatten -> linear(10) as third
    from stem -> conv(8, kernel=2, stride=2, padding=[1, 0, 1, 0]) -> add(left)
    conv(6, kernel=3) -> flatten -> concat(third) -> linear(9)`,
  "branches in fours": `
    conv(8, kernel=3, padding=1) -> relu
    concat {
      branch { conv(4, kernel=1) }
      branch { conv(8, kernel=3, padding=1) -> relu }
      branch { }
    }
    conv(8, kernel=3)`,
  "branches of odd channels": `
    concat {
      branch { conv(3, kernel=1) -> relu }
      branch { conv(6, kernel=3, padding=1) -> relu -> conv(5, kernel=3, padding=1) }
      branch pool { maxpool(3, stride=1, padding=1) -> conv(2, kernel=1) }
    }
    relu -> conv(7, kernel=3, padding=1) -> relu -> maxpool(2)`,
  "one value joined twice": `
    conv(10, kernel=1) as wide
    from image -> conv(5, kernel=1) as narrow -> concat(narrow) -> relu -> add(wide)`,
  "dense layers": `
    conv(6, kernel=3, padding=1) as x0 -> relu -> conv(4, kernel=3, padding=1) as x1
    from x0 -> concat(x1) as x2 -> relu -> conv(4, kernel=3, padding=1) as x3
    from x2 -> concat(x3) -> relu`,
  "a gate": `
    conv(8, kernel=3, padding=1) as x -> sigmoid as gate
    from x -> relu -> multiply(gate) -> add(x)`,
  "a factor for each channel, and a summand": `
    conv(6, kernel=3, padding=1) as x -> relu as features
    global_avgpool -> conv(4, kernel=1) -> relu -> conv(6, kernel=1) -> sigmoid as gate
    multiply(features) as gated
    from x -> adaptive_avgpool(1) -> conv(6, kernel=1) as shift
    from gated -> add(shift) -> tanh`,
  "what is added around an image, dropped": `
    conv(6, kernel=1) -> pad(1, value=0.5) -> dropout(0.3, channels=true)
    pad([0, 1], axis=rows, value=2) -> softplus`,
  "what is repeated over channels, dropped": `
    conv(6, kernel=1) -> dropout(0.3, channels=true) as x
    let scaled = x / exp(mean(x, over=channels))`,
  // Zeros behind the last channel must not become log(9).
  "logarithms of sums over rows": `
    conv(6, kernel=1) -> logsumexp(rows) -> conv(3, kernel=1) -> logsumexp(columns)`,
  "joined features": `
    flatten as flat -> linear(6) -> relu as a
    from flat -> linear(7) -> tanh -> concat(a) as both
    residual { linear(13) -> relu }`,
};

const VARIANTS = {
  fused: { fusion: "all", keepGradients: false },
  "not fused": { fusion: "none", keepGradients: true },
} as const;

describe("graphs with branches agree with the reference", () => {
  for (const [name, body] of Object.entries(CASES)) {
    for (const [variant, options] of Object.entries(VARIANTS)) {
      test.runIf(runsAllVariants || variant === "fused")(`${name}, ${variant}`, async () => {
        const results = await compare(graphOf(body), { ...options, count: 3, batch: 4 });
        const farthest = Math.max(...results.map(({ error }) => error));
        expect(farthest, worst(results)).toBeLessThan(TOLERANCE);
      });
    }
  }
});
