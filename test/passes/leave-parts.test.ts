import { expect, test } from "vitest";
import type { Graph, OpKind } from "../../compiler/ir/graph.js";
import { Uses } from "../../compiler/ir/uses.js";
import { chooseHalves, NO_HALVES } from "../../compiler/layout/halves.js";
import { verify } from "../../compiler/ops/verify.js";
import { differentiate } from "../../compiler/passes/differentiate.js";
import { fuse } from "../../compiler/passes/fuse.js";
import { leaveParts } from "../../compiler/passes/leave-parts.js";
import { simplify, simplifyTraining } from "../../compiler/passes/simplify.js";
import { stepGraphs } from "../../compiler/passes/step-graphs.js";
import { problemOf } from "../../compiler/plan/contractions.js";
import { choiceFor } from "../../compiler/plan/plan.js";
import { planProgram } from "../../compiler/plan/program.js";
import { keyOf, type TunedSchedules } from "../../compiler/schedules/index.js";
import type { ContractionSchedule } from "../../compiler/schedules/schedule.js";
import { OPTIMIZER } from "../kernels/compare.js";
import { Chain } from "./chain.js";

const PADDING = { top: 1, bottom: 1, left: 1, right: 1 };

const block = (groups = 1) =>
  new Chain()
    .convolution(4, { kernel: [3, 3], padding: PADDING, groups })
    .batchnorm()
    .unary("relu")
    .convolution(4, { kernel: [3, 3], padding: PADDING })
    .batchnorm();

const training = (chain: Chain) =>
  fuse(simplifyTraining(differentiate(simplify(chain.classify()))));

/** The kinds of the nodes that leave parts, and for which reductions. */
function leaving(graph: Graph): readonly (readonly [OpKind, string, OpKind | undefined])[] {
  const uses = new Uses(graph);
  return graph.nodes.flatMap(({ kind, fusion }) =>
    fusion?.leaves
      ? [[kind, fusion.leaves.what, uses.maker(fusion.leaves.reduction)?.kind] as const]
      : [],
  );
}

test("what makes the values of a reduction leaves its parts", () => {
  const graph = leaveParts(training(block()), NO_HALVES);
  verify(graph);
  expect(leaving(graph)).toEqual([
    ["convolution", "moments", "channelStatistics"],
    ["convolution", "moments", "channelStatistics"],
    ["convolutionInputGradient", "products", "normalizeGradient"],
  ]);
});

test("the direct form leaves none, nor does what is stored in 16 bits", () => {
  // Channels of a group that do not come in fours: the direct form.
  const direct = leaving(leaveParts(training(block(2)), NO_HALVES));
  expect(direct.filter(([kind]) => kind === "convolution")).toHaveLength(1);
  const graph = training(block());
  expect(leaving(leaveParts(graph, chooseHalves(graph)))).toEqual([]);
});

test("an input that is made after the values is not read for them", () => {
  const graph = training(block());
  const at = leaveParts(graph, NO_HALVES).nodes.findIndex(
    ({ fusion }) => fusion?.leaves?.what === "products",
  );
  const maker = graph.nodes[at]!;
  // Nothing else about the order matters to the pass.
  const first = { ...graph, nodes: [maker, ...graph.nodes.toSpliced(at, 1)] };
  const kinds = leaving(leaveParts(first, NO_HALVES)).map(([kind]) => kind);
  expect(kinds).toEqual(["convolution", "convolution"]);
});

test("verify knows what parts are of", () => {
  const graph = leaveParts(training(block()), NO_HALVES);
  const at = graph.nodes.findIndex(({ fusion }) => fusion?.leaves?.what === "products");
  const { fusion, outputs } = graph.nodes[at]!;
  const [output] = outputs;
  const withLeaves = (change: object) => {
    const leaves = { ...fusion!.leaves!, ...change };
    const node = { ...graph.nodes[at]!, fusion: { ...fusion, leaves } };
    return { ...graph, nodes: graph.nodes.with(at, node) };
  };
  expect(() => verify(withLeaves({ reduction: output }))).toThrow(
    "is not the normalizeGradient of",
  );
  expect(() => verify(withLeaves({ what: "moments" }))).toThrow("is not the channelStatistics of");
  expect(() => verify(withLeaves({ operands: [] }))).toThrow("products are not of what");
});

/** What the first convolution leaves by ranges of batches, with a schedule that was measured. */
function partsBy(schedule: ContractionSchedule) {
  const forward = block().classify();
  const graphs = stepGraphs(forward, { optimizer: OPTIMIZER });
  const planWith = (tuned: TunedSchedules) =>
    planProgram(forward, graphs, { target: "lanes8", optimizer: OPTIMIZER, tuned }).lists.train!;
  const node = graphs.train!.nodes.find(({ kind }) => kind === "convolution")!;
  if (node.kind !== "convolution") throw new Error("not a convolution");
  const { problem } = problemOf(choiceFor<"convolution">(planWith({}), node))!;
  const left = planWith({ [keyOf(problem)]: schedule }).left.get(node)!;
  return left.map(({ parts }) => ({ values: parts?.values }));
}

test("a schedule leaves parts of as many values as a lane accumulates rows", () => {
  const schedule = { exchange: "broadcast", rowLanes: 8, loads: 2, columns: 8 } as const;
  expect(partsBy(schedule)).toEqual([{ values: 16 }]);
  expect(partsBy({ ...schedule, splits: 2 })).toEqual([{}]);
  expect(partsBy({ ...schedule, algorithm: "winograd" })).toEqual([{}]);
});
