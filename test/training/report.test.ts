import { expect, test } from "vitest";
import type { MetricsRecord } from "../../runtime/training/records.js";
import { renderCurves, renderReport } from "../../runtime/training/report.js";

function records(steps: number): MetricsRecord[] {
  return Array.from({ length: steps }, (_, index): MetricsRecord[] => {
    const step = index + 1;
    const done = {
      step,
      epoch: Math.ceil(step / 10),
      loss: 2 / step,
      lr: 0.1,
      examplesPerSecond: 5,
    };
    if (step % 10 !== 0) return [done];
    return [done, { step, epoch: step / 10, eval: { loss: 1 / step, top1: 0.5, top5: 0.9 } }];
  }).flat();
}

test("curves show the losses, each accuracy and the learning rate", () => {
  const svg = renderCurves(records(50), ["top1", "top5"]);
  for (const text of ["Loss", "Accuracy", "Learning rate", "evaluation", "top1", "top5", "100%"]) {
    expect(svg).toContain(`>${text}</text>`);
  }
  expect(svg.match(/<circle/g)!.length).toBe(3 * 5);
  expect(svg).not.toMatch(/NaN|Infinity|undefined/);
});

test("a constant, small learning rate has ticks of its own size", () => {
  const constant = records(20).map((record) =>
    "lr" in record ? { ...record, lr: 0.001 } : record,
  );
  const learningRate = renderCurves(constant, ["top1", "top5"]).split(">Learning rate</text>")[1]!;
  expect(learningRate).toContain(">0.001</text>");
  expect(learningRate).not.toContain(">-");
});

test("curves can be drawn of no steps, of one, and of very many", () => {
  expect(renderCurves([], ["top1", "top5"])).not.toMatch(/NaN|Infinity|undefined/);
  expect(renderCurves(records(1), ["top1", "top5"])).not.toMatch(/NaN|Infinity|undefined/);
  expect(renderCurves(records(20_000), ["top1", "top5"]).length).toBeLessThan(250_000);
});

test("a report stands alone, holds the figures, and escapes what it is given", () => {
  const html = renderReport({
    fractions: ["top1", "top5"],
    title: "Net <1>",
    facts: { adapter: "SwiftShader & co" },
    records: records(20),
  });
  expect(html).toContain("<h1>Net &lt;1&gt;</h1>");
  expect(html).toContain("SwiftShader &amp; co");
  expect(html).toContain("<td>50.00%</td>");
  expect(html).not.toMatch(/<script|<link|src=/);
});
