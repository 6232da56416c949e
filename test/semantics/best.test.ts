/** Whether larger or smaller values of a metric are better: said by `best`, or by a warning. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { analyze } from "../../compiler/index.js";

const SPEC = readFileSync("specs/errors/NET3083/spec.net", "utf8");
const STOP = "stop      = early_stopping(patience=3, metric=within)";

function analyzed(settings: string, spec = SPEC) {
  const { diagnostics, selected } = analyze(spec.replace(STOP, settings), "codes.net");
  return { codes: diagnostics.map(({ code }) => code), best: selected?.recipe?.best };
}

test.each([
  ["max", true],
  ["min", false],
])("`best = %s(within)` says the direction", (name, rises) => {
  const best = { metric: "within", rises };
  expect(analyzed(`best = ${name}(within)`)).toEqual({ codes: [], best });
  expect(analyzed(`best = ${name}(within)\n${STOP}`)).toEqual({ codes: [], best });
});

test.each([
  ["by the first metric", ""],
  ["by what `stop` watches", STOP],
  ["of `stop`, though `best` looks at the loss", `best = min(loss)\n${STOP}`],
])("a formula without a direction is said: %s", (_, settings) => {
  expect(analyzed(settings).codes).toEqual(["NET3083"]);
});

test.each([
  ["`stop` watches the loss", "stop = early_stopping(patience=3)"],
  ["`best` is another metric", "best = min(loss)"],
])("nothing is said where the formula decides nothing: %s", (_, settings) => {
  expect(analyzed(settings).codes).toEqual([]);
});

test("what `best` says of another metric is not advised again", () => {
  const { notes } = analyze(SPEC.replace(STOP, `best = min(loss)\n${STOP}`), "codes.net")
    .diagnostics[0]!;
  expect(notes.join()).not.toContain("add `best");
  expect(notes.join()).toContain("let `stop` watch `loss`");
});

const WITH_SHARE = SPEC.replace(
  "metric within",
  "metric gap = mae(restored, image)\n" +
    "  metric right = binary_accuracy(restored, image)\n  metric within",
);

test.each([
  ["best = max(loss)", "best = min(loss)"],
  ["best = max(gap)", "best = min(gap)"],
  ["best = min(right)", "best = max(right)"],
])("%s keeps the worst weights", (wrong, right) => {
  const text = WITH_SHARE.replace(STOP, wrong);
  const { diagnostics } = analyze(text, "codes.net");
  expect(diagnostics.map(({ code }) => code)).toEqual(["NET3084"]);
  const [edit] = diagnostics[0]!.fixes[0]!.edits;
  const { start, end } = edit!.span;
  const fixed = text.slice(0, start.offset) + edit!.newText + text.slice(end.offset);
  expect(fixed).toContain(right);
  expect(analyze(fixed, "codes.net").diagnostics).toEqual([]);
});

test("nothing is evaluated without an eval split", () => {
  expect(analyzed("", SPEC.replace('  eval folder("photos")\n', "")).codes).toEqual([]);
});

test("recall decides for triplets, unless `best` says something else", () => {
  const triplets = readFileSync("examples/metric-learning/digits-triplets.net", "utf8");
  expect(analyzed("", triplets)).toEqual({ codes: [], best: undefined });
  const chosen = triplets.replace("seed      = 1", "best = max(ranked)");
  const best = { metric: "ranked", rises: true };
  expect(analyzed("", chosen)).toEqual({ codes: [], best });
});

test.each([
  ["best = max(wihtin)", "NET3059"],
  ["best = within", "NET3056"],
])("%s is one mistake", (settings, code) => {
  expect(analyzed(settings).codes).toEqual([code]);
});
