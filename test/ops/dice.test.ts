/** Losses of masks that sum over pixels before they compare: gradients by finite differences. */
import { expect, test } from "vitest";
import { analyze } from "../../compiler/semantics/index.js";
import { parameterValues, uniformValues } from "../oracle/values.js";
import { gradientError } from "../passes/gradients.js";

test.each([
  "dice(logits, mask, ignore=255)",
  "dice(logits, mask, smooth=0.5, ignore=255) + focal(logits, mask, ignore=255)",
])("gradients of %s are those of finite differences", (loss) => {
  const text = `
      model M {
        input image: f32[N, 2, 4, 5]
        target mask: u32[N, 4, 5] in 0..3
        conv(4, kernel=3, padding=1) as first -> tanh -> conv(3, kernel=1) as logits
        loss ${loss}
      }`;
  const { graph } = analyze(text, "m.net").selected!.model;
  const parameters = new Map(
    graph!.parameters.map(({ value }) => {
      const values = parameterValues(`dice/${value.name}`, value.shape.map(Number));
      return [value.name, Float64Array.from(values)] as const;
    }),
  );
  const images = Float64Array.from(uniformValues("dice/images", 3 * 40, 1));
  const labels = uniformValues("dice/mask", 3 * 20, 1).map((each) => Math.floor(1.5 * each + 1.5));
  const optimizer = { kind: "sgd", learningRate: 0.1, momentum: 0, weightDecay: 0 } as const;
  const context = { seed: 1, step: 0, training: true, optimizer } as never;
  const inputs = { images, labels: labels as never, parameters, context };
  expect(gradientError(graph!, inputs)).toBeLessThan(1e-7);
});
