import fc from "fast-check";
import { expect, test } from "vitest";
import { ROWS, rowsOf, unrolledBlocks } from "../../compiler/emit/unrolled.js";

/** What a module makes of an expression. */
const evaluate = (expression: string) =>
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  new Function(`${ROWS}\nreturn ${expression};`)() as string;

const lines = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => line(index)).join("\n");

test("unrolled lines are written as one, with the rules of their numbers", () => {
  const block = lines(
    8,
    (i) => `  c${i} = fma(a${Math.floor(i / 4)}.x, ${i % 4}u, t[${i + 3}], 2f);`,
  );
  expect(rowsOf(block)).toBe(
    "rows(8, (i) => `  c${i} = fma(a${Math.floor(i / 4)}.x, ${i % 4}u, t[${i + 3}], 2f);`)",
  );
});

test.each([
  ["few lines", lines(4, (i) => `c${i};`)],
  ["other lines", lines(9, (i) => (i < 8 ? `c${i};` : `d${i};`))],
  ["numbers without a rule", lines(8, (i) => `c${i * i};`)],
  ["numbers that go back", lines(8, (i) => `c${8 - i};`)],
  ["leading zeros", lines(8, (i) => `c0${i};`)],
  ["numbers beyond what JavaScript counts", lines(8, (i) => `c${2n ** 60n + BigInt(i)};`)],
])("%s stay text", (_, block) => expect(rowsOf(block)).toBeUndefined());

test("the first of many lines is apart where it has another form", () => {
  const first = "f(row, c0);";
  const others = lines(7, (i) => `f(row + ${i + 1}u, c${i + 1});`);
  expect(unrolledBlocks(`${first}\n${others}`)).toEqual([first, others]);
  expect(rowsOf(others)).toBe("rows(7, (i) => `f(row + ${i + 1}u, c${i + 1});`)");
});

test("whatever the text, its blocks join to it and rows give their block", () => {
  const text = fc.constantFrom("  c", "`", "${", "\\", " = x", "\r", "u, ", "é", "f();", "");
  const rule = fc.record({
    start: fc.constantFrom(0, 0, 3, 40),
    step: fc.constantFrom(1, 2, 4, 8, 16),
    values: fc.constantFrom(1, 2, 4, 5, 100),
  });
  const run = fc.record({
    count: fc.integer({ min: 1, max: 20 }),
    parts: fc.array(fc.tuple(text, rule), { minLength: 1, maxLength: 4 }),
  });
  fc.assert(
    fc.property(fc.array(run, { maxLength: 5 }), (runs) => {
      const whole = runs.map(({ count, parts }) =>
        lines(count, (index) =>
          parts
            .map(([before, { start, step, values }]) => {
              return before + String(start + (Math.floor(index / step) % values));
            })
            .join(""),
        ),
      );
      const blocks = unrolledBlocks(whole.join("\n"));
      expect(blocks.join("\n")).toBe(whole.join("\n"));
      for (const block of blocks) {
        const rows = rowsOf(block);
        if (rows !== undefined) expect(evaluate(rows)).toBe(block);
      }
    }),
  );
});
