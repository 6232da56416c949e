/** `a // b`: a comment, where Python divides. */
import { expect, test } from "vitest";
import { analyze } from "../../compiler/index.js";

const specOf = (first: string, layer: string) => `${first}
model M {
  input image: f32[N, 8, 4, 4]

  conv(8, kernel=1) as x
  ${layer}
}
`;

const foundIn = (text: string) =>
  analyze(text, "m.net").diagnostics.filter(({ code }) => code === "NET0006");

test.each([
  ["const w = 8 // 2", "relu", "const w = floor(8 / 2)"],
  ["", "let y = x // 2", "let y = x / 2"],
  ["const w = 8", "conv(w // 2, kernel=1)", "conv(floor(w / 2), kernel=1)"],
  ["const w = 8\nconst h = 2", "conv(w // h, kernel=1)", "conv(floor(w / h), kernel=1)"],
  ["const w = 9 // 2 + 1", "relu", "const w = floor(9 / 2) + 1"],
])("%s %s divides in other languages", (first, layer, meant) => {
  const text = specOf(first, layer);
  const diagnostic = foundIn(text)[0]!;
  expect(diagnostic.message).toBe("`//` starts a comment, and divides nothing");
  const { span, newText } = diagnostic.fixes[0]!.edits[0]!;
  const fixed = text.slice(0, span.start.offset) + newText + text.slice(span.end.offset);
  expect(fixed).toContain(meant);
  const { diagnostics } = analyze(fixed, "m.net");
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
});

test.each([
  ["const w = 8 // as in the paper", "relu"],
  ["const w = 8 // eight", "relu // 2"],
  ["const w = [8, // 2\n  4]", "conv(8, // stem\n    kernel=1)"],
  ["// 2", "let y = x // y, halved"],
])("%s %s has comments", (first, layer) => {
  expect(foundIn(specOf(first, layer))).toEqual([]);
});
