/** Values that are read where another one has their name. */
import { expect, test } from "vitest";
import { printGraph } from "../../compiler/ir/print.js";
import { build } from "../../compiler/network/build.js";
import type { ResolvedNetwork } from "../../compiler/network/resolved.js";
import { print } from "../../compiler/network/print.js";
import { networksOf } from "./round-trip.js";

const specOf = (statements: string) => `model Net {
  input  image: f32[N, 3, 6, 6]
  input  other: f32[N, 3, 6, 6]
  target wanted: f32[N, 4]

  ${statements}
  flatten -> linear(4) as out
  loss mse(out, wanted)
}
`;

/** Without the lines of the spec. */
const graphOf = (network: ResolvedNetwork) =>
  printGraph(build(network)).replaceAll(/, line \d+/g, "");

test.each([
  ["a layer's", "from image -> add(other) -> tanh as a\n  s { residual { relu as a } }"],
  [
    "an input's",
    "from other -> conv(3, kernel=1) as c\n  s { residual { relu as c -> add(image) } }",
  ],
  ["an input's, in a section", "s { relu as image -> add(other) -> residual { tanh as other } }"],
  [
    "one of a section's, twice",
    "from image -> add(other)\n  s { conv(3, kernel=1) as a_outer -> tanh as a\n" +
      "    t { residual { relu as a } } }",
  ],
  ["a formula's", "let y = image * other\n  s { residual { relu as y } }"],
])("%s name that a section hides is printed by a second name", (_, statements) => {
  const [network] = networksOf(specOf(statements));
  const text = print(network!);
  const [again] = networksOf(text);
  expect(graphOf(again!), text).toBe(graphOf(network!));
  expect(print(again!)).toBe(text);
});

test("nothing has a second name that needs none", () => {
  const [network] = networksOf(specOf("from image -> add(other) as a -> relu as b -> add(a)"));
  expect(print(network!)).not.toContain("outer");
});
