import { predictions } from "../../compiler/ops/builder.js";
import { portOf } from "../../compiler/ir/graph.js";
import { describe, expect, test } from "vitest";
import { add, constant, multiply, operand } from "../../compiler/ir/expression.js";
import type { Dropped } from "../../compiler/ir/expression.js";
import type { Graph } from "../../compiler/ir/graph.js";
import { formatExpression, printGraph } from "../../compiler/ir/print.js";
import { verify } from "../../compiler/ops/verify.js";
import { differentiate } from "../../compiler/passes/differentiate.js";
import { simplify, simplifyTraining } from "../../compiler/passes/simplify.js";
import { BATCH } from "../../compiler/ir/shape.js";
import { Chain, inputsFor } from "./chain.js";
import { gradientsOf, meanLoss } from "./gradients.js";

/** A graph's nodes at a glance: kinds, expressions of pointwise nodes. */
function outline(graph: Graph): readonly string[] {
  verify(graph);
  return graph.nodes.map((node) =>
    node.kind === "pointwise" ? formatExpression(node.attributes.expression) : node.kind,
  );
}

function expectSameResults(before: Graph, after: Graph): void {
  const inputs = inputsFor(before);
  const unmasked = { ...inputs, context: { ...inputs.context, training: false } };
  expect(meanLoss(after, unmasked)).toBeCloseTo(meanLoss(before, unmasked), 12);
  const wanted = gradientsOf(differentiate(before), unmasked);
  for (const [name, gradient] of gradientsOf(differentiate(after), unmasked))
    Array.from(gradient).forEach((value, index) =>
      expect(value).toBeCloseTo(wanted.get(name)![index]!, 10),
    );
}

const END = ["convolution", "crossEntropy", "accuracy"];

describe("simplify", () => {
  test("pools before it rectifies", () => {
    const graph = new Chain().convolution(4).unary("relu").maxPool().classify();
    const simple = simplify(graph);
    expect(outline(simple)).toEqual(["convolution", "maxPool", "relu($0)", ...END]);
    expectSameResults(graph, simple);
  });

  test("rectifies first where someone else reads the result", () => {
    const chain = new Chain().convolution(4).unary("relu");
    const relu = chain.value;
    const graph = chain
      .maxPool({
        kernel: [3, 3],
        stride: [1, 1],
        padding: { top: 1, bottom: 1, left: 1, right: 1 },
      })
      .pointwise(add(operand(0), operand(1)), relu)
      .convolution(2)
      .averagePool({ windows: "adaptive", outputSize: [1, 1] })
      .classify();
    expect(printGraph(simplify(graph))).toBe(printGraph(graph));
  });

  test("does not count channels of an image where those of its features are dropped", () => {
    const nodesOf = (dropped: Dropped) => {
      const chain = new Chain().convolution(4).unary("relu").flatten().dropout(0.5, dropped);
      return simplify(chain.classify()).nodes.map(({ kind }) => kind);
    };
    expect(nodesOf("example")).not.toContain("reshape");
    expect(nodesOf("channel")).toContain("reshape");
  });

  test("makes a linear layer on a flattened image a convolution, through dropout and all", () => {
    const graph = new Chain().convolution(4).unary("relu").flatten().dropout(0.5).classify();
    const simple = simplify(graph);
    expect(outline(simple)).toEqual([
      "convolution",
      "relu($0)",
      "$0 * keep(0.5, stream 4)",
      ...END,
    ]);
    expect(portOf(simple, "prediction").shape).toEqual([BATCH, 3]);
    expectSameResults(graph, simple);
  });

  test("leaves the reshape of a single pixel, which moves nothing", () => {
    const chain = new Chain().averagePool({ windows: "adaptive", outputSize: [1, 1] });
    const graph = chain.flatten().classify();
    expect(outline(simplify(graph))).toEqual(["averagePool", "reshape", ...END]);
  });

  test("keeps a reshape below a bias per feature", () => {
    const graph = new Chain().flatten().bias().classify();
    expect(outline(simplify(graph))).toEqual(["reshape", "$0 + $1[c]", ...END]);
  });

  test("drops reshapes that undo each other, and what does nothing", () => {
    const graph = new Chain()
      .convolution(4)
      .flatten()
      .reshape([BATCH, 4, 4, 4])
      .dropout(0)
      .pointwise(add(multiply(constant(1), operand(0)), constant(0)))
      .unary("relu")
      .classify();
    expect(outline(simplify(graph))).toEqual(["convolution", "relu($0)", ...END]);
  });

  test("drops nodes whose results nothing reads", () => {
    const chain = new Chain().convolution(4);
    const { value } = chain;
    chain.unary("tanh");
    chain.value = value;
    expect(outline(simplify(chain.classify()))).toEqual(["convolution", ...END]);
  });

  test("keeps origins", () => {
    const graph = new Chain()
      .convolution(4)
      .unary("relu")
      .maxPool()
      .flatten()
      .dropout(0.5)
      .classify();
    const named = simplify(graph).nodes.map(({ kind, origin }) => `${kind} ${origin.name}`);
    expect(named).toEqual([
      "convolution conv1",
      "maxPool maxpool3",
      "pointwise pointwise2",
      "pointwise pointwise5",
      "convolution linear6",
      "crossEntropy loss",
      "accuracy top1",
    ]);
  });
});

describe("simplifyTraining", () => {
  const masked = () => new Chain().flatten().linear(8).unary("relu").dropout(0.5).classify();

  test("reads the sign of a rectified value after dropout instead of keeping it twice", () => {
    const forward = masked();
    const rectified = forward.nodes.find(({ origin }) => origin.name === "pointwise3")!.outputs[0]!;
    const readers = (graph: Graph) =>
      graph.nodes.filter(({ inputs }) => inputs.some(({ id }) => id === rectified.id)).length;
    const training = differentiate(forward);
    const simple = simplifyTraining(training);
    verify(simple);
    expect(readers(training)).toBe(2);
    expect(readers(simple)).toBe(1);
    const inputs = inputsFor(forward, 8);
    expect(gradientsOf(simple, inputs)).toEqual(gradientsOf(training, inputs));
  });

  test("leaves the sign where the rectified value is a separate result", () => {
    const chain = new Chain().flatten().linear(8).unary("relu");
    const outputs = predictions(chain.value);
    const training = differentiate({ ...chain.dropout(0.5).classify(), outputs });
    expect(printGraph(simplifyTraining(training))).toBe(printGraph(training));
  });
});
