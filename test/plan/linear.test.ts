import { expect, test } from "vitest";
import type { Graph } from "../../compiler/ir/graph.js";
import { lowerProgram } from "../../compiler/lower/program.js";
import { stepGraphs } from "../../compiler/passes/step-graphs.js";
import { planProgram } from "../../compiler/plan/program.js";
import { compileGraph } from "../../compiler/program.js";
import { OPTIMIZER } from "../kernels/compare.js";
import { callsOf, type Counted } from "../work.js";
import { residualBlocks } from "./networks.js";

const options = {
  target: "gpu",
  source: { file: "deep.net", hash: "0" },
  optimizer: OPTIMIZER,
} as const;

/** What is counted of a stage: what comes before it is made first. */
const STAGES: Readonly<Record<string, (forward: Graph) => () => unknown>> = {
  planned(forward) {
    const graphs = stepGraphs(forward, options);
    return () => planProgram(forward, graphs, options);
  },
  lowered(forward) {
    const plan = planProgram(forward, stepGraphs(forward, options), options);
    return () => lowerProgram(plan, {});
  },
  compiled: (forward) => () => compileGraph(forward, options),
};

async function callsPerBlock(count: number, stage: string, counted?: Counted): Promise<number> {
  const run = STAGES[stage]!(residualBlocks(count));
  return (await callsOf(run, counted)) / count;
}

test.each([
  ["planned", 1.05],
  ["lowered", 1.05],
  // Rules are kept in order by a heap, and memory by trees, which adds a logarithm.
  ["compiled", 1.1],
])("each block of a network is %s with the same work", async (stage, bound) => {
  // What is done once in all is done before.
  await callsPerBlock(10, stage);
  const few = await callsPerBlock(20, stage);
  const many = await callsPerBlock(60, stage);
  console.log(`${stage}: ${few} calls a block of 20 blocks, ${many} of 60`);
  expect(few).toBeGreaterThan(100);
  expect(many).toBeLessThanOrEqual(bound * few);
});

test.each(["isFree", "costOf"])(
  "each block needs as many comparisons of rooms: %s",
  async (name) => {
    const counted = { file: "write/room", name };
    const few = await callsPerBlock(20, "compiled", counted);
    const many = await callsPerBlock(60, "compiled", counted);
    expect(few).toBeGreaterThan(10);
    expect(many).toBeLessThanOrEqual(1.1 * few);
  },
);
