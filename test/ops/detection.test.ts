/** The loss of boxes: its gradient, and what it is of by hand. */
import { expect, test } from "vitest";
import { analyze } from "../../compiler/semantics/index.js";
import { parameterValues, uniformValues } from "../oracle/values.js";
import { gradientError } from "../passes/gradients.js";
import { ops } from "../../compiler/ops/index.js";

const EXAMPLES = 3;

test("gradients of the loss of boxes are those of finite differences", () => {
  const text = `
    model M {
      input image: f32[N, 2, 4, 5]
      target boxes: boxes[N, 6] in 0..3
      conv(4, kernel=3, padding=1) as first -> tanh -> conv(8, kernel=1) as head
      loss yolo(head, boxes, coord=3, noobj=0.7)
    }`;
  const { graph } = analyze(text, "m.net").selected!.model;
  const parameters = new Map(
    graph!.parameters.map(({ value }) => {
      const values = parameterValues(`boxes/${value.name}`, value.shape.map(Number));
      return [value.name, Float64Array.from(values)] as const;
    }),
  );
  const images = Float64Array.from(uniformValues("boxes/images", EXAMPLES * 40, 1));
  const numbers = uniformValues("boxes/boxes", EXAMPLES * 30, 1).map(Math.abs);
  const labels = numbers.map((value, at) => (at % 5 === 0 ? Math.floor(4 * value) - 1 : value));
  const optimizer = { kind: "sgd", learningRate: 0.1, momentum: 0, weightDecay: 0 } as const;
  const context = { seed: 1, step: 0, training: true, optimizer } as never;
  const inputs = { images, labels: labels as never, parameters, context };
  expect(gradientError(graph!, inputs)).toBeLessThan(1e-7);
});

test("the loss of one cell is the sum of its parts", () => {
  const lossOf = (grid: readonly number[], box: readonly number[]) => {
    const inputs = [
      { shape: [1, 7, 1, 1], data: Float64Array.from(grid) },
      { shape: [1, 1, 5], data: Float64Array.from(box) },
    ];
    const rule = { coord: 5, noobj: 0.5 };
    return ops.detectionLoss.reference(inputs, rule, undefined as never, [])[0]!.data[0];
  };
  const half = Math.log(2);
  // All halves: a place of (0.5, 0.5), a size of 0.5, and logits of two equal classes.
  expect(lossOf([0, 0, 0, 0, 0, 0, 0], [1, 0.5, 0.5, 0.5, 0.5])).toBeCloseTo(2 * half, 12);
  const off = 5 * (0.25 ** 2 + (Math.sqrt(0.5) - Math.sqrt(0.02)) ** 2);
  expect(lossOf([0, 0, 0, 0, 0, 0, 0], [0, 0.25, 0.5, 0.02, 0.5])).toBeCloseTo(2 * half + off, 12);
  for (const none of [
    [-1, 0.5, 0.5, 0.5, 0.5],
    [0, 1.5, 0.5, 0.5, 0.5],
  ])
    expect(lossOf([0, 0, 0, 0, 0, 0, 0], none)).toBeCloseTo(0.5 * half, 12);
  expect(lossOf([0, 0, 0, 0, 0, 0, 0], [2, 0.5, 0.5, 0.5, 0.5])).toBeNaN();
});
