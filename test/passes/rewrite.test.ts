import { expect, test } from "vitest";
import type { OptimizerSettings } from "../../program/program.js";
import { stepGraphs } from "../../compiler/passes/step-graphs.js";
import { analyze } from "../../compiler/semantics/index.js";
import { callsOf } from "../work.js";

const OPTIMIZER: OptimizerSettings = {
  kind: "sgd",
  learningRate: 0.1,
  momentum: 0.9,
  weightDecay: 0,
  nesterov: false,
  convention: "pytorch",
};

/** A residual network, unfused. */
function blocks(count: number) {
  const text = `model Deep {
    input image: f32[N, 16, 8, 8]
    target label: u32[N] in 0..10
    repeat ${count} {
      residual {
        conv(16, kernel=3, padding=1, bias=false) -> batchnorm -> relu
        conv(16, kernel=3, padding=1) -> batchnorm
      } -> relu
    }
    global_avgpool -> flatten -> dropout(0.5) -> linear(10) as logits
    loss cross_entropy(logits, label)
    metric top1 = accuracy(logits, label)
  }`;
  return analyze(text, "deep.net").selected!.model.graph!;
}

/** Rules' visits for each node of the unfused training graph, over all tables of all passes. */
async function visitsPerNode(count: number): Promise<number> {
  const graph = blocks(count);
  const { train } = stepGraphs(blocks(count), { fusion: "none", optimizer: OPTIMIZER });
  const run = () => stepGraphs(graph, { optimizer: OPTIMIZER });
  const visits = await callsOf(run, { file: "passes/rewrite", name: "visit" });
  expect(visits).toBeGreaterThan(0);
  return visits / train!.nodes.length;
}

test("rules look at each node at most 8 times, however many nodes there are", async () => {
  const few = await visitsPerNode(20);
  const many = await visitsPerNode(300);
  console.log(`visits per node: ${few} of 20 blocks, ${many} of 300`);
  expect(few).toBeLessThanOrEqual(8);
  expect(many).toBeLessThanOrEqual(8);
});
