import { expect, test } from "vitest";
import { analyze } from "../../compiler/index.js";
import type { RecipeOverrides } from "../../compiler/semantics/index.js";

const SPEC = `model Net {
  input  image: f32[N, 1, 8, 8]
  target label: u32[N] in 0..2
  conv(4, kernel=3) as stem -> relu -> flatten -> linear(2) as logits
  loss cross_entropy(logits, label)
}
train Base of Net {
  epochs     = 20
  batch      = 8
  optimizer  = sgd(lr=0.1)
  schedule   = warmup(2 epochs) -> multistep(at=[500 steps, 5 epochs], gamma=0.1)
  accumulate = 4
  freeze     = [stem]
  unfreeze   = after(3 epochs, [stem])
}
train Other of Net {
  epochs    = 20
  batch     = 8
  optimizer = sgd(lr=0.1)
  schedule  = warmup(2 epochs) -> cosine(to=0)
}`;

const found = (overrides: RecipeOverrides, train?: string) =>
  analyze(SPEC, "net.net", { overrides, train }).diagnostics.map(({ code, message, notes }) => [
    code,
    message,
    ...notes,
  ]);

test("settings that replace a recipe's are checked like those of the recipe", () => {
  expect(found({})).toEqual([]);
  const note = "the run's length is that of `--epochs 3`";
  expect(found({ epochs: 3 })).toEqual([
    ["NET3012", "`multistep` acts after 5 epochs, but the run has only 3", note],
    ["NET3012", "`after` acts after 3 epochs, but the run has only 3", note],
  ]);
  // What is counted in epochs is known with the data only.
  expect(found({ steps: 400 })).toEqual([
    [
      "NET3012",
      "`multistep` acts after 500 steps, but the run has only 400",
      "the run's length is that of `--steps 400`",
    ],
  ]);
  expect(found({ batch: 3 })[0]!.slice(0, 2)).toEqual([
    "NET3058",
    "a batch of 3 cannot be trained in 4 slices",
  ]);
});

test("they are those of one recipe, and become part of it", () => {
  expect(found({ epochs: 1 }, "Other").map(([, message]) => message)).toEqual([
    "`warmup` acts after 2 epochs, but the run has only 1",
  ]);
  const overrides = { epochs: 30, batch: 16, learningRate: 0.5 };
  const { recipe } = analyze(SPEC, "net.net", { overrides }).selected!;
  expect(recipe).toMatchObject({ epochs: 30, batch: 16, optimizer: { learningRate: 0.5 } });
});
