/** The commands that a run prints to use its weights choose its recipe. */
import { expect, test } from "vitest";
import { argumentsOf, type CompiledSpec } from "../../cli/compiled.js";
import { analyze } from "../../compiler/semantics/index.js";

const MODEL = `(width: int) {
  input x: f32[N, 4]
  target y: f32[N, 1]
  linear(width) -> relu -> linear(1) as out
  loss mse(out, y)
}`;
const train = (name: string, model: string) =>
  `train ${name} of ${model}(width=4) { epochs = 1\n batch = 2\n optimizer = sgd(lr=0.1) }`;

const TEXT = `model Large${MODEL}
model Small${MODEL}
${train("Student", "Small")}
${train("Teacher", "Large")}
${train("Again", "Large")}`;

test.each([
  [TEXT, "Teacher", "two.net"],
  [TEXT, "Student", "two.net --train Student"],
  [TEXT, "Again", "two.net --train Again"],
  [`model Large${MODEL}\n${train("Only", "Large")}`, "Only", "two.net"],
])("%#", (text, name, expected) => {
  const analysis = analyze(text, "two.net", { train: name });
  const recipe = analysis.selected?.recipe;
  expect(recipe?.name).toBe(name);
  const compiled = { spec: { path: "two.net" }, analysis, recipe } as unknown as CompiledSpec;
  expect(argumentsOf(compiled)).toBe(expected);
  // Without the flag, the recipe is another one, where the flag is needed.
  const usual = analyze(text, "two.net").selected?.recipe?.name;
  expect(usual === name).toBe(expected === "two.net");
});
