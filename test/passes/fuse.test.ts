import { expect, test } from "vitest";
import { add, operand, unary } from "../../compiler/ir/expression.js";
import { readsOf } from "../../compiler/ir/fusion.js";
import type { Graph, OpKind } from "../../compiler/ir/graph.js";
import { differentiate } from "../../compiler/passes/differentiate.js";
import { fuse } from "../../compiler/passes/fuse.js";
import { forInference, forPrediction } from "../../compiler/passes/inference.js";
import { simplify, simplifyTraining } from "../../compiler/passes/simplify.js";
import { Chain } from "./chain.js";

const forward = (chain: Chain) => fuse(simplify(chain.classify()));
const training = (chain: Chain) =>
  fuse(simplifyTraining(differentiate(simplify(chain.classify()))));

const kinds = ({ nodes }: Graph): OpKind[] => nodes.map(({ kind }) => kind);
const count = (graph: Graph, kind: OpKind) => kinds(graph).filter((other) => other === kind).length;

const PADDING = { top: 1, bottom: 1, left: 1, right: 1 };

test("bias and relu join the convolution", () => {
  const graph = forward(new Chain().convolution(4).bias().unary("relu").flatten());
  expect(kinds(graph)).toEqual(["convolution", "convolution", "classification"]);
});

test("relu behind a pool joins the pool, and its mask in the gradient is the winner's code", () => {
  const graph = training(
    new Chain().convolution(4, { padding: PADDING }).unary("relu").maxPool().convolution(4),
  );
  const pool = graph.nodes.find(({ kind }) => kind === "maxPool")!;
  expect(pool.attributes).toMatchObject({ relu: true });
  expect(count(graph, "pointwise")).toBe(0);
});

test("the relu's mask joins the input gradient that it follows", () => {
  const graph = training(
    new Chain().convolution(4, { padding: PADDING }).unary("relu").convolution(4),
  );
  const gradients = graph.nodes.filter(({ kind }) => kind === "convolutionInputGradient");
  expect(gradients.at(-1)!.fusion).toHaveProperty("epilogue");
  expect(count(graph, "pointwise")).toBe(0);
});

test("a square joins the channel window that reads it", () => {
  const graph = forward(new Chain().convolution(4).lrn({ before: 1, after: 1 }).flatten());
  const window = graph.nodes.find(({ kind }) => kind === "channelWindowSum")!;
  expect(window.fusion).toHaveProperty("prologue");
  expect(window.fusion).toHaveProperty("epilogue");
  expect(count(graph, "pointwise")).toBe(0);
});

test("loss, gradient and hits are one pass over the logits", () => {
  const graph = training(new Chain().convolution(4).flatten());
  expect(count(graph, "classification")).toBe(1);
  expect(count(graph, "crossEntropyGradient")).toBe(0);
});

test("weights are updated as soon as nothing reads them any more", () => {
  const { nodes } = training(new Chain().convolution(4).unary("relu").convolution(4).bias());
  nodes.forEach((node, index) => {
    if (node.kind !== "update") return;
    const before = nodes.slice(0, index).findLast(({ kind }) => kind !== "update")!;
    const [weights, gradient] = node.inputs;
    expect(readsOf(before).includes(weights!) || before.outputs.includes(gradient!)).toBe(true);
  });
});

const normalized = () =>
  new Chain()
    .convolution(4, { padding: PADDING })
    .batchnorm()
    .unary("relu")
    .convolution(4, { padding: PADDING })
    .batchnorm();

test("outside training, batch normalization and the relu behind it join the convolution", () => {
  const plain = simplify(normalized().unary("relu").classify());
  const graph = fuse(forPrediction(simplify(forInference(plain))));
  expect(count(graph, "pointwise")).toBe(0);
  expect(kinds(graph).filter((kind) => kind !== "convolution")).toEqual([
    ...["normalizeScale", "scaledWeights", "normalizeScale", "scaledWeights"],
  ]);
});

test("a factor goes into weights only where they are fewer than an image's outputs", () => {
  const plain = simplify(new Chain(["N", 13]).linear(18).batchnorm().unary("relu").classify());
  const graph = fuse(forPrediction(simplify(forInference(plain))));
  expect(kinds(graph)).toEqual(["normalizeScale", "convolution", "convolution"]);
});

test("in training, a normalization with its relu is one pass, and so is its gradient", () => {
  const graph = training(normalized().unary("relu"));
  // Two forward, two backward; the masks of the relus join the convolutions' gradients.
  expect(count(graph, "pointwise")).toBe(4);
  expect(count(graph, "channelStatistics")).toBe(2);
  expect(count(graph, "normalizeGradient")).toBe(2);
});

test("a pooling normalizes what it keeps, whichever way the normalization goes", () => {
  const graph = training(
    new Chain().convolution(4, { padding: PADDING }).batchnorm().unary("relu").maxPool(),
  );
  const pool = graph.nodes.find(({ kind }) => kind === "maxPool")!;
  expect(pool.inputs).toHaveLength(1);
  expect(pool.attributes).toMatchObject({ relu: true });
  expect(pool.fusion!.prologue!.operands).toHaveLength(4);
  // What is left is the backward pass.
  expect(count(graph, "pointwise")).toBe(1);
});

test("no kernel binds more than WebGPU's default limit", () => {
  const chain = normalized();
  const first = chain.value;
  const sum = chain
    .convolution(4, { padding: PADDING })
    .batchnorm()
    .pointwise(unary("relu", add(operand(0), operand(1))), first);
  for (const node of training(sum).nodes) {
    expect(readsOf(node).length + node.outputs.length).toBeLessThanOrEqual(8);
  }
});
