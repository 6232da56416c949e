import { expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../program/limits.js";
import type { Target } from "../../program/program.js";
import { LoweringContext } from "../../compiler/lower/context.js";
import { lowerNode, lowerPlan } from "../../compiler/lower/index.js";
import { stepGraphs } from "../../compiler/passes/step-graphs.js";
import type { Plan } from "../../compiler/plan/plan.js";
import { planProgram, type ProgramPlanOptions } from "../../compiler/plan/program.js";
import { OPTIMIZER } from "../kernels/compare.js";
import { mostOps } from "./networks.js";

const isFull = process.env["NETC_TEST_FULL"] === "1";

const TARGETS: readonly Target[] = ["gpu", "lanes8", "lanes4"];

const VARIANTS: Readonly<Record<string, Partial<ProgramPlanOptions>>> = {
  plain: {},
  "16 bits": { precision: { kind: "f16", lossScale: { kind: "static", scale: 128 } } },
  "clipped adam": {
    optimizer: {
      kind: "adam",
      learningRate: 0.1,
      weightDecay: 0,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      clip: { norm: 1 },
    },
  },
  "averages and gradients": { average: { kind: "ema", decay: 0.5 }, keepGradients: true },
  // Weights in several pieces.
  "small buffers": {
    limits: { ...DEFAULT_LIMITS, maxStorageBufferBindingSize: 2048, maxBufferSize: 2048 },
  },
};

function plansOf(target: Target, variant: string): readonly Plan[] {
  const forward = mostOps();
  const options = { optimizer: OPTIMIZER, target, ...VARIANTS[variant] };
  const { lists } = planProgram(forward, stepGraphs(forward, options), options);
  return Object.values(lists).filter((plan) => plan !== undefined);
}

/** Outside full tests each variant for one of the targets, by turns. */
const cases = TARGETS.flatMap((target, place) =>
  Object.keys(VARIANTS)
    .filter((_, index) => isFull || index % TARGETS.length === place)
    .map((variant) => [target, variant] as const),
);

test.each(cases)("nodes are lowered in any order to the same: %s, %s", (target, variant) => {
  for (const plan of plansOf(target, variant)) {
    const context = new LoweringContext(plan);
    const inOrder = new Map(lowerPlan(plan).nodes.map(({ node, steps }) => [node, steps]));
    for (const node of plan.graph.nodes.toReversed()) {
      const steps = lowerNode(context, node);
      const known = inOrder.get(node)!;
      expect(steps).toEqual(known);
      // Not alike, but the very memory of the plan.
      steps.forEach(({ storage }, step) =>
        storage.forEach((bound, index) => expect(bound).toBe(known[step]!.storage[index])),
      );
    }
  }
});

test.each(cases)("plans are data, the same for the same graph: %s, %s", (target, variant) => {
  const [first, second] = [plansOf(target, variant), plansOf(target, variant)];
  expect(first.length).toBeGreaterThan(2);
  expect(structuredClone(first)).toEqual(structuredClone(second));
});
