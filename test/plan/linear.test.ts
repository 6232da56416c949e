import { expect, test } from "vitest";
import type { Graph } from "../../compiler/ir/graph.js";
import { lowerProgram } from "../../compiler/lower/program.js";
import { stepGraphs } from "../../compiler/passes/step-graphs.js";
import { planProgram } from "../../compiler/plan/program.js";
import { compileGraph } from "../../compiler/program.js";
import { OPTIMIZER } from "../kernels/compare.js";
import { callsOf } from "../work.js";
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

/** The memory plan looks for room among all rooms, which is quadratic: 0.4 s of 300 blocks. */
const MEMORY = "write/memory";

async function callsPerBlock(count: number, stage: string, file?: string): Promise<number> {
  const run = STAGES[stage]!(residualBlocks(count));
  return (await callsOf(run, file === undefined ? {} : { file })) / count;
}

async function othersPerBlock(count: number, stage: string): Promise<number> {
  return (await callsPerBlock(count, stage)) - (await callsPerBlock(count, stage, MEMORY));
}

test.each([
  ["planned", 1.05],
  ["lowered", 1.05],
  // Rules are kept in order by a heap, which adds a logarithm.
  ["compiled", 1.1],
])("each block of a network is %s with the same work", async (stage, bound) => {
  // What is done once in all is done before.
  await callsPerBlock(10, stage);
  const few = await othersPerBlock(20, stage);
  const many = await othersPerBlock(60, stage);
  console.log(`${stage}: ${few} calls a block of 20 blocks, ${many} of 60`);
  expect(few).toBeGreaterThan(100);
  expect(many).toBeLessThanOrEqual(bound * few);
});
