import { expect, test } from "vitest";
import { renderReport, thinOut } from "../../report/render.js";
import { isEvaluation, isStep } from "../../runtime/training/records.js";
import { smooth } from "../../report/page/smooth.js";
import { records, reportData } from "./data.js";

const ASSETS = { script: 'let a = "</script>";', style: "body {}" };

test("a report holds its data, and nothing in them ends an element", () => {
  const data = reportData(3);
  const html = renderReport(data, ASSETS);
  expect(html).toContain("<title>Net &lt;1>, recipe Base</title>");
  expect(html.match(/<\/script>/g)).toHaveLength(2);
  const embedded = /<script type="application\/json" id="data">(.*)<\/script>/.exec(html)![1]!;
  expect(JSON.parse(embedded)).toEqual(data);
});

test("a report names no other place", () => {
  const html = renderReport(reportData(3), ASSETS);
  expect(html).not.toMatch(/https?:|<link| src=/);
  expect(html).toContain("default-src 'none'");
});

test("very many steps are thinned to means; evaluations all stay", () => {
  const thinned = thinOut(records(20_000));
  expect(thinned.filter(isEvaluation)).toHaveLength(2000);
  const steps = thinned.filter(isStep);
  expect(steps).toHaveLength(4000);
  const expected = [1, 2, 3, 4, 5].reduce((sum, step) => sum + 2 / step, 0) / 5;
  expect(steps[0]).toMatchObject({ step: 5, loss: expected });
  expect(thinOut(records(20))).toEqual(records(20));
});

test("the losses of several steps are thinned like their sum", () => {
  const many = records(8000).map((record) =>
    isStep(record) ? { ...record, losses: { d: record.step, g: -record.step } } : record,
  );
  const [first] = thinOut(many).filter(isStep);
  expect(first).toMatchObject({ step: 2, losses: { d: 1.5, g: -1.5 } });
});

test("a smoothed constant is that constant from its first value on", () => {
  for (const value of smooth(Array<number>(300).fill(4))) expect(value).toBeCloseTo(4, 12);
});
