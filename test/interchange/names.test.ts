/** Names that files give, as names of a spec. */
import { expect, test } from "vitest";
import { keywords } from "../../compiler/reference/keywords.js";
import { compile } from "../../compiler/index.js";
import { identifier } from "../../interchange/names.js";

const specOf = (name: string) => `model M {
  input x: f32[N, 4]
  target label: u32[N] in 0..3
  ${name} { linear(4) as ${name} -> relu }
  linear(3) as logits
  loss cross_entropy(logits, label)
}`;

test.each([...keywords.map(({ word }) => word), "init", "true", "false", "0", "conv-1"])(
  "%s of a file names a section and a layer",
  (word) => {
    const { diagnostics } = compile(specOf(identifier(word)), { file: "m.net" });
    expect(diagnostics).toEqual([]);
  },
);
