import fc from "fast-check";
import { expect, test } from "vitest";
import { compareRuns } from "../../cli/compare/comparison.js";
import { lineDifferences } from "../../cli/compare/line-differences.js";
import { mcnemar } from "../../cli/compare/mcnemar.js";
import type { ReadRun } from "../../cli/compare/read-run.js";
import { describeComparison } from "../../cli/compare/text.js";

/** By SciPy: `binomtest(min(b, c), b + c).pvalue`. */
test.each([
  [10, 2, 0.03857421875],
  [2, 10, 0.03857421875],
  [5, 5, 1],
  [0, 0, 1],
  [0, 6, 0.03125],
  [30, 55, 0.008836205876],
])("McNemar's test of %d against %d gives %d", (first, second, expected) => {
  expect(mcnemar({ first, second })).toBeCloseTo(expected, 10);
});

test("McNemar's test of thousands of examples neither overflows nor leaves 0 to 1", () => {
  const count = fc.integer({ min: 0, max: 5000 });
  fc.assert(
    fc.property(count, count, (first, second) => {
      const p = mcnemar({ first, second });
      expect(p).toBeGreaterThanOrEqual(0);
      expect(p).toBeLessThanOrEqual(1);
    }),
  );
  expect(mcnemar({ first: 2400, second: 2500 })).toBeGreaterThan(0.1);
});

test("the lines that differ make one text of the other", () => {
  const text = fc.array(fc.constantFrom("a", "b", "c", "d"), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(text, text, (before, after) => {
      const differences = lineDifferences(before.join("\n"), after.join("\n"));
      const gone = new Set(differences.flatMap((each) => (each.side === "first" ? each.line : [])));
      const come = new Set(
        differences.flatMap((each) => (each.side === "second" ? each.line : [])),
      );
      const kept = before.filter((_, index) => !gone.has(index + 1));
      expect(kept).toEqual(after.filter((_, index) => !come.has(index + 1)));
    }),
  );
  expect(lineDifferences("a\nb", "a\nb")).toEqual([]);
});

/** A run that is right about the first `right` of 20 examples. */
function run(folder: string, right: number, given: Partial<ReadRun> = {}): ReadRun {
  return {
    folder,
    description: {
      format: 1,
      netc: "0.1.0",
      title: "Net, recipe Base",
      status: "completed",
      spec: { path: "net.net", text: `epochs = ${right}` },
      recipe: [
        ["epochs", String(right)],
        ["seed", "1"],
      ],
      facts: [],
      fractions: ["top1"],
    },
    records: [{ step: 5, epoch: 1, train: { loss: 2 }, eval: { loss: 1, top1: right / 20 } }],
    predictions: Array.from({ length: 20 }, (_, index) => ({
      file: `${index}.jpg`,
      label: "cat",
      prediction: index < right ? "cat" : "dog",
    })),
    ...given,
  };
}

test("a comparison has what differs, and whether it is significant", () => {
  const comparison = compareRuns([run("runs/a", 8), run("runs/b", 16)]);
  expect(comparison.settings).toEqual([{ name: "epochs", values: ["8", "16"] }]);
  expect(comparison.spec.map(({ side, text }) => [side, text])).toEqual([
    ["first", "epochs = 8"],
    ["second", "epochs = 16"],
  ]);
  expect(comparison.significance).toMatchObject({
    examples: 20,
    accuracies: [0.4, 0.8],
    onlyRight: [0, 8],
    pValue: expect.closeTo(2 / 2 ** 8, 12) as number,
  });
  const text = describeComparison(comparison, undefined);
  expect(text).toMatch(/\+40.0 points, 95% interval \+18.5 to \+61.5/);
  expect(text).toMatch(/p = 0.0078. b is better on this data/);
  const alike = describeComparison(compareRuns([run("runs/a", 15), run("x/a", 16)]), undefined);
  expect(alike).toMatch(/runs\/a is right about 75.0% of 20 examples, x\/a about 80.0%/);
  expect(alike).toMatch(/p = 1.0000. The difference may be chance/);
});

test("runs over different data are refused, and runs without predictions are not tested", () => {
  const other = (change: object) =>
    run("runs/b", 9, {
      predictions: run("", 9).predictions!.map((each, index) =>
        index === 3 ? { ...each, ...change } : each,
      ),
    });
  const compare = (second: ReadRun) => () => compareRuns([run("runs/a", 8), second]);
  expect(compare(other({ file: "x.jpg" }))).toThrow(
    "example 4 is 3.jpg in runs/a, and x.jpg in runs/b",
  );
  expect(compare(other({ label: "dog" }))).toThrow("3.jpg is cat in runs/a, and dog in runs/b");
  const without = compare(run("runs/b", 9, { predictions: undefined }))();
  expect(describeComparison(without, undefined)).toMatch(
    /not tested: runs\/b has no predictions: its model gives no single class to an image/,
  );
});
