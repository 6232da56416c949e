/** How much rounding explains, where gradients of 16 bits overflow. */
import { expect, test } from "vitest";
import { Comparison, compareTensors } from "../../workbench/verify/comparison.js";

const VALUE = { name: "gradient", type: "f32" } as const;
const column = (...numbers: number[]) => ({
  shape: [numbers.length],
  data: Float64Array.from(numbers),
});

test("a number that overflows hides neither right nor wrong ones next to it", () => {
  const compared = (...actual: number[]) => {
    const comparison = new Comparison(new Set([VALUE]));
    const expected = column(Infinity, 0, NaN, 2);
    compareTensors(comparison, VALUE, { expected, actual: column(...actual) });
    return comparison.finding.deviation;
  };
  expect(compared(Infinity, 0, NaN, 2)).toBeUndefined();
  expect(compared(Infinity, 0, NaN, 3)).toMatchObject({ index: 3, expected: 2, actual: 3 });
});
