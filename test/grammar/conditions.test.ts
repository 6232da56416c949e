/** Conditions and joins as other languages write them. */
import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";

const notesOf = (body: string) => {
  const text = `model M {\n  input image: f32[N, 3, 8, 8]\n  ${body}\n}\n`;
  const { diagnostics } = compile(text, { file: "m.net" });
  return diagnostics.flatMap(({ notes }) => notes).join("\n");
};

test.each([
  ["if 2 > 3 { relu } elif 2 == 2 { tanh }", "another condition begins with `else if`"],
  ["if 2 = 3 { relu }", "`==` compares"],
  ["if 2 > 1 && 3 > 2 { relu }", "joined by `and`, `or` and `not`"],
])("%s", (body, note) => {
  expect(notesOf(body)).toContain(note);
});
