import { describe, expect, test } from "vitest";
import type { Graph } from "../../compiler/ir/graph.js";
import type { ContractionSchedule } from "../../compiler/schedules/schedule.js";
import type { TunedSchedules } from "../../compiler/schedules/index.js";
import { makeProgram } from "../../compiler/program.js";
import { analyze } from "../../compiler/semantics/index.js";
import type { Target } from "../../program/program.js";
import { compare, OPTIMIZER, worst } from "./compare.js";

/**
 * Of a tensor's norm. Most tensors are within 1e-6. One case has gradients that nearly cancel, and
 * its second step inherits the first's rounding: the direct sum, too, is 1.3e-5 off there.
 */
const TOLERANCE = 2e-5;

const TILES: Readonly<Record<"lanes4" | "gpu", ContractionSchedule>> = {
  lanes4: { exchange: "broadcast", rowLanes: 4, loads: 2, columns: 8, algorithm: "winograd" },
  gpu: {
    exchange: "workgroup",
    rowLanes: 32,
    loads: 1,
    columns: 16,
    rowGroups: 2,
    algorithm: "winograd",
  },
};

/** As if every problem to which Winograd's way is open had been measured to be best so. */
const winograd = (schedule: ContractionSchedule): TunedSchedules =>
  new Proxy<Record<string, ContractionSchedule>>(
    {},
    { get: (_, key) => (String(key).includes(" tiles") ? schedule : undefined) },
  );

function graphOf(body: string, input: string): Graph {
  const text = `
    model M {
      input image: f32[N, ${input}]
      target label: u32[N] in 0..4
      ${body}
      flatten -> linear(4) as logits
      loss cross_entropy(logits, label)
    }`;
  const graph = analyze(text, "m.net").selected?.model.graph;
  if (!graph) throw new Error("the spec is wrong");
  return graph;
}

const CASES = {
  "odd sizes": [
    "conv(8, kernel=3, padding=1) -> relu -> conv(12, kernel=3, padding=1) -> relu",
    "8, 9, 7",
  ],
  "even sizes, without padding": ["conv(8, kernel=3) -> relu -> conv(5, kernel=3)", "4, 12, 8"],
  "channels that are not fours": [
    "conv(6, kernel=3, padding=1) -> leaky_relu -> conv(10, kernel=3, padding=1)",
    "5, 6, 6",
  ],
  "pools and sums after it": [
    "conv(8, kernel=3, padding=1) -> relu -> maxpool(2)\n" +
      "residual { conv(8, kernel=3, padding=1) -> relu -> conv(8, kernel=3, padding=1) }\nrelu",
    "4, 10, 14",
  ],
} as const;

const kernelsOf = (graph: Graph, target: Target, tuned: TunedSchedules) =>
  makeProgram(graph, { target, source: { file: "m.net", hash: "0" }, optimizer: OPTIMIZER, tuned })
    .kernels;

describe.each(Object.keys(TILES) as (keyof typeof TILES)[])("Winograd's way, %s", (target) => {
  const tuned = winograd(TILES[target]);

  test.each(Object.entries(CASES))("%s", async (_, [body, input]) => {
    const graph = graphOf(body, input);
    const names = kernelsOf(graph, target, tuned).map(({ name }) => name);
    expect(names.filter((name) => name.startsWith("winograd")).length).toBeGreaterThanOrEqual(3);
    const results = await compare(graph, { target, tuned });
    for (const { tensor, error } of results) expect(error, tensor).toBeLessThan(TOLERANCE);
    console.log(`Winograd, ${target}, ${_}: largest errors ${worst(results)}`);
  });

  test("is not taken unless measured", () => {
    const graph = graphOf(...CASES["odd sizes"]);
    const names = kernelsOf(graph, target, {}).map(({ name }) => name);
    expect(names.filter((name) => name.startsWith("winograd"))).toEqual([]);
  });
});
