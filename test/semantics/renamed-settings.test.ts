/** Settings of other tools, whose values netc writes otherwise: what is offered, and applied. */
import { expect, test } from "vitest";
import { analyze } from "../../compiler/semantics/index.js";

const text = (setting: string) => `model M {
  input  image: f32[N, 3, 8, 8]
  target label: u32[N] in 0..4
  features { conv(8, kernel=3, bias=true) -> batchnorm -> conv(8, kernel=3) }
  flatten -> linear(4) as logits
  loss cross_entropy(logits, label)
}
train T of M {
  epochs = 1
  batch = 4
  optimizer = adamw(lr=0.1, weight_decay=0.01)
  ${setting}
}
`;

const found = (setting: string) =>
  analyze(text(setting), "m.net").diagnostics.map(({ message, notes, fixes }) => ({
    message,
    notes,
    fixes: fixes.map(({ title }) => title),
  }));

test.each([
  ["ema = 0.9", "average = ema(0.999)"],
  ["early_stopping = 3", "stop = early_stopping(patience=5)"],
  ["amp = true", "precision = f16"],
])("%s: no fix is offered that gives another error", (setting, note) => {
  const [first, ...others] = found(setting);
  expect(others).toEqual([]);
  expect(first!.fixes).toEqual([]);
  expect(first!.notes.join()).toContain(note);
});

test.each([
  ["clip_grad_norm = 1.0", "write `clip_norm`"],
  ["no_decay = batchnorm", "write `kind(batchnorm)`"],
  ["no_decay = [bias]", "write `*.bias`"],
  ["drop_last = True", "write `true`"],
  ["drop_last = yes", "write `true`"],
])("%s is mended", (setting, title) => {
  expect(found(setting)[0]!.fixes).toEqual([title]);
});
