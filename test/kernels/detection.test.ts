import { describe, expect, test } from "vitest";
import type { Graph } from "../../compiler/ir/graph.js";
import { analyze } from "../../compiler/semantics/index.js";
import { runsAllVariants } from "../adapters.js";
import { compare, worst } from "./compare.js";

/** Sums in f32 in another order than the reference's doubles; exponentials are less exact. */
const TOLERANCE = 2e-5;

function graphOf(classes: number, [height, width]: readonly [number, number], loss: string): Graph {
  const text = `
    model M {
      input x: f32[N, 3, ${height}, ${width}]
      target boxes: boxes[N, 7] in 0..${classes}
      conv(6, kernel=3, padding=1) -> tanh -> conv(5 + ${classes}, kernel=1) as head
      loss ${loss}
    }`;
  const { diagnostics, selected } = analyze(text, "m.net");
  if (!selected?.model.graph) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  return selected.model.graph;
}

describe("the loss of boxes agrees with the reference", () => {
  const cases = [
    [3, [4, 5], "yolo(head, boxes)"],
    [1, [9, 8], "yolo(head, boxes, coord=2, noobj=1)"],
    [20, [13, 13], "0.3 * yolo(head, boxes)"],
  ] as const;
  test.each(cases)("%i classes, %j cells, %s", async (classes, size, loss) => {
    const graph = graphOf(classes, size, loss);
    for (const options of runsAllVariants ? [{}, { fusion: "none" } as const] : [{}]) {
      const results = await compare(graph, { count: 3, batch: 4, ...options });
      const farthest = Math.max(...results.map(({ error }) => error));
      expect(farthest, worst(results)).toBeLessThan(TOLERANCE);
    }
  });
});
