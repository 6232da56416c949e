import { describe, expect, test } from "vitest";
import { formatBytes } from "../../program/format-bytes.js";
import { formatDuration, formatNumber, plural } from "../../cli/format.js";
import { describeFit, requireSomeFit } from "../../cli/budget.js";
import { renderTable, type Column } from "../../cli/table.js";

test.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1536, "1.5 KiB"],
  [144 * 1024 * 1024, "144 MiB"],
])("%d bytes are %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

test.each([
  [0.42, "0.42 s"],
  [9.94, "9.9 s"],
  [59.6, "1 min 00 s"],
  [200, "3 min 20 s"],
  [7500, "2 h 05 min"],
  [Number.POSITIVE_INFINITY, "?"],
])("%d seconds are %s", (seconds, text) => expect(formatDuration(seconds)).toBe(text));

test("what a memory budget leads to is counted in words", () => {
  const fit = { batch: 8, slices: 1, bytes: 1024, work: 1.25 };
  const value = { name: "conv1", bytes: 64, work: 1 } as never;
  expect(describeFit({ ...fit, repeated: [] })).toBe("as it is");
  expect(describeFit({ ...fit, repeated: [value] })).toMatch(/^1 value is computed again/);
  expect(describeFit({ ...fit, repeated: [value, value] })).toMatch(/^2 values are computed/);
});

test("numbers are short", () => {
  expect(formatNumber(2.302585)).toBe("2.303");
  expect(formatNumber(0.01)).toBe("0.01");
  expect(plural(1, "image")).toBe("1 image");
  expect(plural(1797, "image")).toBe("1,797 images");
  expect(plural(2, "batch")).toBe("2 batches");
});

test("a budget that no program keeps to is told with the least that one takes", () => {
  const [one, other] = [348, 218].map((least) => {
    return { excess: { least, weights: 20, optimizer: 40, values: least - 60 } };
  });
  const compilation = { compiled: [one, other] } as unknown as Parameters<typeof requireSomeFit>[0];
  expect(() => requireSomeFit(compilation, 200)).toThrow("training takes at least 218 B");
  const fits = { compiled: [one, {}] } as unknown as typeof compilation;
  expect(() => requireSomeFit(fits, 200)).not.toThrow();
});

describe("tables", () => {
  const columns: Column[] = [
    { title: "layer", align: "left", expendable: 0 },
    { title: "parameters", align: "right", expendable: 0 },
    { title: "line", align: "right", expendable: 1 },
  ];
  const rows = [
    ["features.conv1", "23,296", "12"],
    ["classifier.logits", "4,097,000", "23"],
  ];

  test("columns line up", () => {
    expect(renderTable(columns, rows)).toBe(
      [
        "layer              parameters  line",
        "-----------------  ----------  ----",
        "features.conv1         23,296    12",
        "classifier.logits   4,097,000    23",
      ].join("\n"),
    );
  });

  test("a narrow terminal loses the expendable column first", () => {
    expect(renderTable(columns, rows, 30)).not.toContain("line");
  });

  test("then the first column is shortened", () => {
    const lines = renderTable(columns, rows, 24).split("\n");
    expect(lines[3]).toBe("classifier.…   4,097,000");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(24);
  });
});
