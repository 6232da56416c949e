import { describe, expect, test } from "vitest";
import { add, channel, operand, unary } from "../../compiler/ir/expression.js";
import type { AnyNode, Graph } from "../../compiler/ir/graph.js";
import { printGraph } from "../../compiler/ir/print.js";
import { verify } from "../../compiler/ops/verify.js";
import { differentiate } from "../../compiler/passes/differentiate.js";
import { fuse } from "../../compiler/passes/fuse.js";
import { analyze } from "../../compiler/semantics/index.js";
import { Chain } from "../passes/chain.js";

const forward = () => new Chain().convolution(4).bias().unary("relu").maxPool().classify();

function withNodes(graph: Graph, change: (nodes: readonly AnyNode[]) => readonly AnyNode[]): Graph {
  return { ...graph, nodes: change(graph.nodes) };
}

/** The graph with one node changed, whatever its kind. */
function withNode(graph: Graph, index: number, change: object): Graph {
  return withNodes(graph, (nodes) => nodes.with(index, { ...nodes[index]!, ...change }));
}

describe("verify", () => {
  test("passes what the builder and the passes make", () => {
    expect(() => verify(forward())).not.toThrow();
    expect(() => verify(differentiate(forward()))).not.toThrow();
  });

  test("a value used before it is made", () => {
    const broken = withNodes(forward(), ([first, second, ...rest]) => [second!, first!, ...rest]);
    expect(() => verify(broken)).toThrow(/^pointwise of \w+ at 1:1: reads %3 before it is made$/);
  });

  test("a value made twice", () => {
    const broken = withNodes(forward(), (nodes) => [...nodes, nodes[0]!]);
    expect(() => verify(broken)).toThrow("convolution of conv1 at 1:1: value %3 is made twice");
  });

  test("a shape that the op does not give", () => {
    const graph = forward();
    const [output] = graph.nodes[0]!.outputs;
    const broken = withNode(graph, 0, { outputs: [{ ...output!, shape: ["N", 4, 5, 5] }] });
    expect(() => verify(broken)).toThrow("expected %3 to be f32[N, 4, 4, 4], got f32[N, 4, 5, 5]");
  });

  test("inputs that an op cannot take", () => {
    const graph = forward();
    const attributes = { ...graph.nodes[0]!.attributes, groups: 3 };
    const broken = withNode(graph, 0, { attributes });
    expect(() => verify(broken)).toThrow("2 and 4 channels do not divide into 3 groups");
  });

  test("an epilogue whose operands do not fit", () => {
    const graph = forward();
    const [x] = graph.nodes[0]!.inputs;
    const expression = unary("relu", add(operand(0), channel(1)));
    const fusion = { epilogue: { expression, operands: [x] } };
    const broken = withNode(graph, 0, { fusion });
    expect(() => verify(broken)).toThrow("expected [4] for channel 1, got [N, 2, 6, 6]");
  });

  test("a part that an op cannot take", () => {
    const fusion = { prologue: { expression: operand(0), operands: [] } };
    const broken = withNode(forward(), 0, { fusion });
    expect(() => verify(broken)).toThrow("convolution takes no fused prologue");
  });

  test("a fused operand that is used before it is made", () => {
    const graph = forward();
    const operands = [graph.nodes[1]!.outputs[0]!];
    const fusion = { epilogue: { expression: add(operand(0), operand(1)), operands } };
    const broken = withNode(graph, 0, { fusion });
    expect(() => verify(broken)).toThrow("convolution of conv1 at 1:1: reads %5 before it is made");
  });

  test("a fused update of another parameter, with too few states or too many parameters", () => {
    const graph = fuse(differentiate(forward(), { kind: "adam" }));
    const at = graph.nodes.findIndex(({ fusion }) => fusion?.updates?.length === 2);
    const [weights, bias] = graph.nodes[at]!.fusion!.updates!;
    const withUpdates = (...updates: readonly unknown[]) =>
      withNode(graph, at, { fusion: { updates } });
    expect(() => verify(graph)).not.toThrow();
    expect(() => verify(withUpdates(bias, weights))).toThrow(
      /^convolutionWeightGradient of .*update/,
    );
    expect(() => verify(withUpdates({ ...weights, states: [] }))).toThrow("expected 2 states of");
    expect(() => verify(withUpdates(weights, bias, bias))).toThrow("1 to 2 fused updates, got 3");
  });

  test("a result that nothing makes", () => {
    const graph = forward();
    const broken = withNodes(graph, (nodes) => nodes.slice(0, -1));
    expect(() => verify(broken)).toThrow(/^test: nothing makes %\d+$/);
  });

  test("a weight read after its update", () => {
    const training = differentiate(forward());
    const reader = training.nodes[0]!;
    const again = { ...reader, outputs: [{ ...reader.outputs[0]!, id: 1000 }] };
    const broken = withNodes(training, (nodes) => [...nodes, again]);
    expect(() => verify(broken)).toThrow("convolution of conv1 at 1:1: reads %2 after its update");
  });
});

test("a training graph in print", () => {
  expect(printGraph(differentiate(forward()))).toMatchSnapshot();
});

test("the slope of a loss is printed as a formula", () => {
  const text = `
    model M {
      input x: f32[N, 4]
      target y: f32[N, 2]
      linear(2) as z
      loss mse(z, y)
    }`;
  const printed = printGraph(analyze(text, "m.net").selected!.model.graph!);
  expect(printed).toMatch(/ slope=\{ .*\$0.* \}/);
  expect(printed).not.toContain("[object");
});
