/** Which models and data `sampling` goes with. */
import { expect, test } from "vitest";
import { analyze } from "../../compiler/semantics/index.js";

const specOf = (target: string, loss: string, source: string, sampling: string) => `model Pair {
  input left: f32[N, 3, 8, 8]
  input right: f32[N, 3, 8, 8]
  ${target}

  share embed { flatten -> linear(4) }
  from left -> embed as a
  from right -> embed as b
  concat(a) -> linear(2) as logits
  loss ${loss}
}
data Photos {
  train ${source} { }
}
train Base of Pair on Photos {
  epochs    = 1
  batch     = 4
  optimizer = sgd(lr=0.1)
  sampling  = ${sampling}
}`;

const messagesOf = (...parts: Parameters<typeof specOf>) =>
  analyze(specOf(...parts), "pair.net").diagnostics.map(
    ({ code, message }) => `${code}: ${message}`,
  );

const PAIRS = 'siamese(folder("photos"))';
const NUMBERS = ["target same: f32[N, 2]", "mse(logits, same)"] as const;
const CLASSES = ["target same: u32[N] in 0..2", "cross_entropy(logits, same)"] as const;

test("pictures of pairs are drawn by the classes of their folders, not by the target", () => {
  const same = ["target same: f32[N, 1]", "mean(same * sum((a - b)^2, over=channels))"] as const;
  expect(messagesOf(...same, PAIRS, "balanced")).toEqual([]);
  expect(messagesOf(...CLASSES, PAIRS, "weighted([1, 2, 3])")).toEqual([]);
  expect(messagesOf(...CLASSES, PAIRS, "weighted([0, 0, 0])")).toEqual([
    "NET3070: all weights of `weighted` are 0, so no image would be drawn",
  ]);
});

test("rows of a table are drawn where one class for each is the only target", () => {
  const table = 'csv("t.csv", left="l*", right="r*", label="same")';
  expect(messagesOf(...CLASSES, table, "weighted([1, 2, 3])")).toContain(
    "NET3070: `weighted` has 3 numbers, but model `Pair` has 2 classes",
  );
  expect(messagesOf(...NUMBERS, table, "balanced")).toContain(
    "NET3070: `sampling` draws examples by class, but model `Pair` is trained on numbers",
  );
  const two = `${CLASSES[0]}\n  target far: f32[N, 2]`;
  const loss = `${CLASSES[1]} + mse(logits, far)`;
  const named = 'csv("t.csv", left="l*", right="r*", same="same", far=["x", "y"])';
  expect(messagesOf(two, loss, named, "balanced")).toEqual([
    "NET3070: `sampling` draws examples by class, but model `Pair` is trained on 2 targets",
  ]);
});
