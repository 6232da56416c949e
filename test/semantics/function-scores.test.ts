import { expect, test } from "vitest";
import { analyze } from "../../compiler/semantics/index.js";

const model = (statement: string) => `fn focal(p, t) = (p - t)^2
model Net {
  input image: f32[N, 3, 4, 4]
  target t: f32[N, 4]
  flatten -> linear(4) as p
  ${statement}
}
`;

test.each([
  ["loss focal(p, t)", "NET1016"],
  ["loss mse(p, t) + 0.5 * focal(p, t)", "NET1016"],
  ["loss mse(p, t)\n  metric near = focal(p, t)", "NET1017"],
])("%s: a function needs `mean`, also one with the name of a loss", (statement, code) => {
  const { diagnostics } = analyze(model(statement), "net.net");
  expect(diagnostics.map((each) => each.code)).toEqual([code]);
  const [{ fixes, notes }] = diagnostics as [(typeof diagnostics)[number]];
  expect(notes.join()).toContain("`mean(focal(...))`");
  const text = model(statement);
  const fixed = fixes[0]!.edits
    .toReversed()
    .reduce(
      (written, { span, newText }) =>
        written.slice(0, span.start.offset) + newText + written.slice(span.end.offset),
      text,
    );
  expect(fixed).toContain("mean(focal(p, t))");
  expect(analyze(fixed, "net.net").diagnostics).toEqual([]);
});
