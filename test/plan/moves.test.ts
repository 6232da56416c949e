import { expect, test } from "vitest";
import { lowerPlan, type LoweredList } from "../../compiler/lower/index.js";
import { stepGraphs } from "../../compiler/passes/step-graphs.js";
import { labelOf } from "../../compiler/plan/labels.js";
import { planProgram } from "../../compiler/plan/program.js";
import { OPTIMIZER } from "../kernels/compare.js";
import { graphOf } from "../passes/spec-graphs.js";

test("what a kernel of any kind leaves has a name", () => {
  const origin = { name: "shuffle", span: undefined as never };
  expect(labelOf({ kind: "joinChannels", origin })).toBe("shuffle join channels");
  expect(labelOf({ kind: "rearrange", origin })).toBe("shuffle rearrange");
});

const MOVING = new Set(["concatenate", "rearrange", "rearrangeGradient", "joinChannels"]);

function listsOf(spec: string) {
  const graph = graphOf(spec, 64);
  const options = { optimizer: OPTIMIZER, target: "gpu" } as const;
  const { lists } = planProgram(graph, stepGraphs(graph, options), options);
  return { train: lowerPlan(lists.train!), predict: lowerPlan(lists.predict) };
}

/** Dispatches that only move elements. */
const movesOf = ({ nodes }: LoweredList): number =>
  nodes.reduce((sum, { node, steps }) => {
    return sum + (MOVING.has(node.kind) && !node.fusion ? steps.length : 0);
  }, 0);

/**
 * If all were copied: 72 and 36 of googlenet, 250 and 116 of densenet121. Of swin_t's in training,
 * 12 cut off what completes windows of images of 64 pixels.
 */
test.each([
  ["googlenet", 39, 2],
  ["densenet121", 2, 0],
  ["shufflenet_v2_x1_0", 73, 22],
  ["squeezenet1_1", 6, 0],
  ["swin_t", 18, 3],
])("%s moves few values: %d times in training, %d in prediction", (spec, training, prediction) => {
  const { train, predict } = listsOf(spec);
  expect([movesOf(train), movesOf(predict)]).toEqual([training, prediction]);
});

test("no dispatch reads and writes one memory", () => {
  for (const spec of ["densenet121", "shufflenet_v2_x1_0"]) {
    for (const { nodes } of Object.values(listsOf(spec))) {
      for (const { kernel, storage, label } of nodes.flatMap(({ steps }) => steps)) {
        const written = storage.filter((_, at) => kernel.storage[at]!.access !== "read");
        for (const each of written) {
          expect(
            storage.filter((other) => other === each),
            label,
          ).toHaveLength(1);
        }
      }
    }
  }
});

test("of a value whose other parts training does not need, a part is copied", () => {
  const { train, predict } = listsOf("vit_tiny");
  const memory = ({ plan }: LoweredList) =>
    plan.graph.nodes.filter(({ outputs: [output] }) => output && plan.wholes.has(output.id));
  expect(memory(predict).map(({ origin }) => origin.name)).toContain("token1");
  expect(memory(train).map(({ origin }) => origin.name)).not.toContain("token1");
});
