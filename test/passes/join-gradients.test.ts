import { describe, expect, test } from "vitest";
import type { Graph } from "../../compiler/ir/graph.js";
import { printGraph } from "../../compiler/ir/print.js";
import { verify } from "../../compiler/ops/verify.js";
import { differentiate } from "../../compiler/passes/differentiate.js";
import { simplifyTraining } from "../../compiler/passes/simplify.js";
import { analyze } from "../../compiler/semantics/index.js";
import { inputsFor } from "./chain.js";
import { gradientsOf } from "./gradients.js";

function graphOf(type: string, body: string): Graph {
  const text = `model M {
    input images: ${type}
    target labels: u32[N] in 0..3
    ${body}
    global_avgpool -> flatten -> linear(3) as logits
    loss cross_entropy(logits, labels)
  }`;
  const { diagnostics, selected } = analyze(text, "m.net");
  if (!selected?.model.graph) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  return selected.model.graph;
}

const kindsOf = ({ nodes }: Graph) => nodes.map(({ kind }) => kind);

/** By name: the input, layers, and how many gradients of parts are filled up with zeros. */
const CASES: Record<string, readonly [type: string, body: string, filled: number]> = {
  "channels of branches": [
    "f32[N, 3, 5, 4]",
    `conv(8, kernel=1)
    split { branch { conv(4, kernel=1) -> tanh } branch { tanh -> conv(6, kernel=1) } }`,
    0,
  ],
  "rows of branches": [
    "f32[N, 3, 6, 4]",
    "conv(5, kernel=1)\nsplit(axis=rows) { branch { tanh } branch { } branch { sigmoid } }",
    0,
  ],
  "columns that are read as a whole, too": [
    "f32[N, 3, 5, 4]",
    `conv(5, kernel=1) as all
    split(axis=columns) { branch { tanh } branch { conv(5, kernel=1) } }
    add(all)`,
    0,
  ],
  "channels of which some are not needed": [
    "f32[N, 3, 5, 4]",
    `conv(8, kernel=1) as all -> slice(channels, 0, 4) as first
    from all -> slice(channels, 4, 7) -> concat(first)`,
    2,
  ],
};

describe("gradients of parts", () => {
  test.each(Object.entries(CASES))("%s", (_, [type, body, filled]) => {
    const training = differentiate(graphOf(type, body));
    const simple = simplifyTraining(training);
    verify(simple);
    expect(kindsOf(training)).toContain("rearrangeGradient");
    const left = kindsOf(simple).filter((kind) => kind === "rearrangeGradient");
    expect(left, printGraph(simple)).toHaveLength(filled);
    const inputs = inputsFor(training);
    const wanted = gradientsOf(training, inputs);
    for (const [name, gradient] of gradientsOf(simple, inputs)) {
      expect(Array.from(gradient), name).toEqual(Array.from(wanted.get(name)!));
    }
  });
});
